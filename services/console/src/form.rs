//! Forms: what was typed, what was refused, and the fields that show both.
//!
//! Every rendered form carries a random `_key`: it becomes the `Idempotency-Key` of the call, so that a double click
//! does nothing twice. A form about an existing thing carries its `_version`, the one that the page showed.

use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;

use crate::api::{FieldRefusal, Refusal};
use crate::texts::Texts;

/// A file of a form.
#[derive(Debug, Clone, Default)]
pub struct Upload {
    /// Name of the field.
    pub field: String,
    /// Name that the browser gave.
    pub file_name: String,
    /// Media type that the browser gave; the service looks for itself.
    pub media_type: String,
    /// Content.
    pub bytes: Bytes,
}

/// A form as it was sent.
#[derive(Debug, Clone, Default)]
pub struct Posted {
    values: Vec<(String, String)>,
    /// Its files.
    pub files: Vec<Upload>,
}

/// A body that is no form.
#[derive(Debug, Clone, Copy)]
pub struct Unreadable(http::StatusCode);

impl Unreadable {
    /// The status for the page.
    pub fn status(self) -> http::StatusCode {
        self.0
    }
}

impl axum::response::IntoResponse for Unreadable {
    fn into_response(self) -> axum::response::Response {
        // An empty body: errors::dress makes the page.
        self.0.into_response()
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Unreadable;

    async fn from_request(request: Request, state: &S) -> Result<Self, Unreadable> {
        let multipart = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("multipart/form-data"));
        if multipart {
            let parts = Multipart::from_request(request, state)
                .await
                .map_err(|error| Unreadable(axum::response::IntoResponse::into_response(error).status()))?;
            Self::of_parts(parts).await.map_err(|error| Unreadable(error.status()))
        } else {
            let axum::Form(values) = axum::Form::<Vec<(String, String)>>::from_request(request, state)
                .await
                .map_err(|error| Unreadable(axum::response::IntoResponse::into_response(error).status()))?;
            Ok(Self { values, files: Vec::new() }.trimmed())
        }
    }
}

impl Posted {
    async fn of_parts(mut parts: Multipart) -> Result<Self, axum::extract::multipart::MultipartError> {
        let mut posted = Self::default();
        while let Some(part) = parts.next_field().await? {
            let field = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(str::to_owned) {
                Some(file_name) => {
                    let media_type = part.content_type().unwrap_or_default().to_owned();
                    let bytes = part.bytes().await?;
                    // An empty file input is sent as a nameless part.
                    if !file_name.is_empty() && !bytes.is_empty() {
                        posted.files.push(Upload { field, file_name, media_type, bytes });
                    }
                }
                None => posted.values.push((field, part.text().await?)),
            }
        }
        Ok(posted.trimmed())
    }

    fn trimmed(mut self) -> Self {
        for (_, value) in &mut self.values {
            *value = value.trim().replace("\r\n", "\n");
        }
        self
    }

    /// The value of a field, empty when it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The value unless it is empty.
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Every value of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The lines of a field that are not empty.
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.get(name).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.some(name).is_some()
    }

    /// The key of this rendering of the form; a call without one gets none and is refused by the service.
    pub fn key(&self) -> Option<String> {
        self.some("_key").map(str::to_owned)
    }

    /// The version that the page showed.
    pub fn version(&self) -> Option<String> {
        self.some("_version").map(str::to_owned)
    }

    /// Every value, for a page that sends the form again.
    pub fn values(&self) -> &[(String, String)] {
        &self.values
    }

    #[cfg(test)]
    pub(crate) fn of(values: &[(&str, &str)]) -> Self {
        Self { values: values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(), files: Vec::new() }
    }
}

/// The forms of a page: fresh ones, and the one that was refused.
#[derive(Debug)]
pub struct Forms {
    texts: &'static Texts,
    posted: Option<(Posted, Refusal)>,
    seed: String,
}

impl Forms {
    /// Forms with a random seed for their keys, and the one that was refused, if any.
    pub fn new(texts: &'static Texts, seed: String, posted: Option<(Posted, Refusal)>) -> Self {
        Self { texts, posted, seed }
    }

    /// The form of a name.
    pub fn of(&self, name: &str) -> Form<'_> {
        let posted = self.posted.as_ref().filter(|(posted, _)| posted.get("_form") == name);
        Form {
            name: name.to_owned(),
            key: format!("{}-{name}", self.seed),
            texts: self.texts,
            posted: posted.map(|(posted, _)| posted),
            refusal: posted.map(|(_, refusal)| refusal),
        }
    }

    /// What was refused, for a page that shows it without the form.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.posted.as_ref().map(|(_, refusal)| refusal)
    }

    /// The form of a name about one thing of several.
    pub fn each(&self, name: &str, id: &str) -> Form<'_> {
        self.of(&format!("{name}-{id}"))
    }
}

/// One form of a page.
#[derive(Debug)]
pub struct Form<'a> {
    name: String,
    key: String,
    texts: &'static Texts,
    posted: Option<&'a Posted>,
    refusal: Option<&'a Refusal>,
}

/// The opening tag with the hidden fields, and the summary of what was refused.
#[derive(Debug, Template)]
#[template(path = "part/form_open.html")]
pub struct Opening<'a> {
    texts: &'static Texts,
    name: String,
    key: String,
    action: String,
    version: Option<String>,
    files: bool,
    refusal: Option<&'a Refusal>,
    faults: Vec<(String, &'a FieldRefusal)>,
}

impl HtmlSafe for Opening<'_> {}

impl Opening<'_> {
    /// The form is about a thing in this version.
    #[must_use]
    pub fn version(mut self, version: impl std::borrow::Borrow<i64>) -> Self {
        self.version = Some(version.borrow().to_string());
        self
    }

    /// The form carries files.
    #[must_use]
    pub fn files(mut self) -> Self {
        self.files = true;
        self
    }
}

impl<'a> Form<'a> {
    /// Whether this is the form that was refused.
    pub fn refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// The opening of the form; it sends to `action`.
    pub fn open(&self, action: impl AsRef<str>) -> Opening<'a> {
        let faults = self
            .refusal
            .map(|refusal| {
                refusal.errors.iter().map(|fault| (self.id(&self.field_of(&fault.pointer)), fault)).collect()
            })
            .unwrap_or_default();
        Opening {
            texts: self.texts,
            name: self.name.clone(),
            key: self.key.clone(),
            action: action.as_ref().to_owned(),
            version: None,
            files: false,
            refusal: self.refusal,
            faults,
        }
    }

    /// A single line.
    pub fn text(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Line("text"), name.as_ref(), label.as_ref())
    }

    /// A day.
    pub fn date(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Line("date"), name.as_ref(), label.as_ref())
    }

    /// A day and a time of day.
    pub fn moment(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Line("datetime-local"), name.as_ref(), label.as_ref())
    }

    /// A number.
    pub fn number(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Line("number"), name.as_ref(), label.as_ref())
    }

    /// A secret, never shown again.
    pub fn password(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        let mut field = self.field(Kind::Line("password"), name.as_ref(), label.as_ref());
        field.value.clear();
        field
    }

    /// Several lines.
    pub fn area(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Area(4), name.as_ref(), label.as_ref())
    }

    /// Files.
    pub fn file(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::File, name.as_ref(), label.as_ref())
    }

    /// One choice of several.
    pub fn choice(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Choice, name.as_ref(), label.as_ref())
    }

    /// A box to tick.
    pub fn tick(&self, name: impl AsRef<str>, label: impl AsRef<str>) -> Field {
        self.field(Kind::Tick, name.as_ref(), label.as_ref())
    }

    /// What was typed into a field, or what it begins with.
    pub fn value(&self, name: &str, default: &str) -> String {
        self.posted.map_or_else(|| default.to_owned(), |posted| posted.get(name).to_owned())
    }

    /// Whether a value of several was chosen, or is so from the beginning.
    pub fn chosen(&self, name: &str, value: &str, default: bool) -> bool {
        self.posted.map_or(default, |posted| posted.all(name).any(|chosen| chosen == value))
    }

    fn field(&self, kind: Kind, name: &str, label: &str) -> Field {
        let wrong = self.refusal.map_or_else(Vec::new, |refusal| {
            refusal
                .errors
                .iter()
                .filter(|fault| self.field_of(&fault.pointer) == name)
                .map(|fault| fault.detail.clone())
                .collect()
        });
        Field {
            texts: self.texts,
            kind,
            id: self.id(name),
            name: name.to_owned(),
            label: label.to_owned(),
            value: self.value(name, ""),
            posted: self.posted.is_some(),
            hint: String::new(),
            required: false,
            options: Vec::new(),
            accept: "",
            autocomplete: "",
            wrong,
        }
    }

    /// The name of the field that a pointer means: `/members/0/leader` is `members/0/leader` when the form has such a
    /// field, else `members`.
    fn field_of(&self, pointer: &str) -> String {
        let whole = pointer.trim_start_matches('/');
        let known = |name: &str| self.posted.is_some_and(|posted| posted.values.iter().any(|(key, _)| key == name));
        let mut name = whole;
        while !known(name) {
            match name.rsplit_once('/') {
                Some((start, _)) => name = start,
                None => break,
            }
        }
        name.to_owned()
    }

    fn id(&self, name: &str) -> String {
        format!("{}--{}", self.name, name.replace('/', "-"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line(&'static str),
    Area(u8),
    File,
    Choice,
    Tick,
}

/// A field with its label, hint and fault.
#[derive(Debug, Template)]
#[template(path = "part/field.html")]
pub struct Field {
    texts: &'static Texts,
    kind: Kind,
    id: String,
    name: String,
    label: String,
    value: String,
    posted: bool,
    hint: String,
    required: bool,
    options: Vec<(String, String)>,
    accept: &'static str,
    autocomplete: &'static str,
    wrong: Vec<String>,
}

impl HtmlSafe for Field {}

impl Field {
    /// Must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A word of help.
    #[must_use]
    pub fn hint(mut self, text: &str) -> Self {
        text.clone_into(&mut self.hint);
        self
    }

    /// What it begins with.
    #[must_use]
    pub fn begin(mut self, value: impl AsRef<str>) -> Self {
        if !self.posted {
            value.as_ref().clone_into(&mut self.value);
        }
        self
    }

    /// The choices, value and word.
    #[must_use]
    pub fn options(mut self, options: impl AsRef<[(String, String)]>) -> Self {
        self.options = options.as_ref().to_vec();
        self
    }

    /// Height of the area.
    #[must_use]
    pub fn rows(mut self, rows: u8) -> Self {
        self.kind = Kind::Area(rows);
        self
    }

    /// The kinds of file that are taken.
    #[must_use]
    pub fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    /// What the browser may fill in.
    #[must_use]
    pub fn autocomplete(mut self, what: &'static str) -> Self {
        self.autocomplete = what;
        self
    }

    /// The ids of hint and fault, for screen readers.
    fn described(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}--hint", self.id));
        let wrong = (!self.wrong.is_empty()).then(|| format!("{}--wrong", self.id));
        [wrong, hint].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{Catalogue, Lang};

    fn forms(posted: Option<(Posted, Refusal)>) -> Forms {
        Forms::new(Catalogue::load().texts(Lang::ZhHans), "seed".to_owned(), posted)
    }

    fn refused() -> Forms {
        let posted = Posted::of(&[("_form", "plan"), ("title", "<b>题</b>"), ("items/0/matter", "x")]);
        let refusal = Refusal::own("填写内容有误", "请修改")
            .field("/title", "太短 <i>".to_owned())
            .field("/items/0/matter", "不明".to_owned())
            .field("/items/0/matters/3", "也不明".to_owned());
        forms(Some((posted, refusal)))
    }

    #[test]
    fn a_fault_stands_at_its_field_with_the_input_kept_and_nothing_unescaped() {
        let forms = refused();
        let form = forms.of("plan");
        let html = form.text("title", "标题").required().to_string();
        assert!(html.contains("太短 &#60;i&#62;"), "{html}");
        assert!(html.contains("value=\"&#60;b&#62;题&#60;/b&#62;\""), "{html}");
        assert!(
            html.contains("aria-invalid=\"true\"") && html.contains("aria-describedby=\"plan--title--wrong\""),
            "{html}"
        );
        assert!(form.text("items/0/matter", "事项").to_string().contains("不明"));
        let opening = form.open("/plans").version(7).to_string();
        assert!(opening.contains("href=\"#plan--title\"") && opening.contains("role=\"alert\""), "{opening}");
        assert!(opening.contains("name=\"_version\" value=\"7\""), "{opening}");
        assert!(opening.contains("name=\"_key\" value=\"seed-plan\""), "{opening}");
    }

    #[test]
    fn other_forms_of_the_page_stay_fresh() {
        let forms = refused();
        let html = forms.of("other").text("title", "标题").to_string();
        assert!(!html.contains("aria-invalid") && html.contains("value=\"\""), "{html}");
        assert!(!forms.of("other").refused());
    }

    #[test]
    fn a_pointer_inside_of_a_list_means_the_field_of_the_list() {
        let posted = Posted::of(&[("_form", "v"), ("matters", "a\nb")]);
        let forms = forms(Some((posted, Refusal::own("t", "d").field("/matters/1", "重复".to_owned()))));
        assert!(forms.of("v").area("matters", "事项").to_string().contains("重复"));
    }

    #[test]
    fn a_password_is_never_shown_again() {
        let posted = Posted::of(&[("_form", "in"), ("password", "secret-words")]);
        let forms = forms(Some((posted, Refusal::own("t", "d"))));
        assert!(!forms.of("in").password("password", "密码").to_string().contains("secret-words"));
    }
}
