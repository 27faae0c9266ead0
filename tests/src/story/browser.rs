//! A browser as far as the console needs one: pages, cookies, forms with their hidden fields, links.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Url};

use super::http;

/// A service that was shot is back by then.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(250);

/// A browser of one person.
#[derive(Debug)]
pub struct Browser {
    http: Client,
    base: Url,
}

/// A page as it came.
#[derive(Debug)]
pub struct Page {
    /// Where it was found, after redirects.
    pub url: Url,
    /// Status.
    pub status: u16,
    /// The text.
    pub html: String,
}

/// A file as it came.
#[derive(Debug)]
pub struct Download {
    /// What it is.
    pub media_type: String,
    /// Under which name it is to be saved, as the header says it.
    pub disposition: String,
    /// What names exactly these bytes.
    pub etag: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A form of a page, filled as the page filled it.
#[derive(Debug, Clone)]
pub struct Form {
    action: Url,
    post: bool,
    multipart: bool,
    fields: Vec<(String, String)>,
    /// Every name of a control, also of boxes that are not ticked.
    names: Vec<String>,
    files: Vec<(String, String, Vec<u8>)>,
}

impl Browser {
    /// A browser for the console at that address.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        Ok(Self { http: http::client(true)?, base: base.parse()? })
    }

    /// Signs in.
    pub async fn sign_in(base: &str, login: &str, password: &str) -> anyhow::Result<Self> {
        let browser = Self::new(base)?;
        let form = browser.open("/sign-in").await?.form("/sign-in")?;
        let page = browser.send(form.set("login", login)?.set("password", password)?).await?;
        anyhow::ensure!(page.url.path() == "/", "{login} is not signed in but at {}", page.url);
        Ok(browser)
    }

    /// Opens a page; anything but 200 fails. Tried again while a service is away.
    pub async fn open(&self, path: &str) -> anyhow::Result<Page> {
        let began = Instant::now();
        loop {
            let page = self.look(path).await;
            let away = page.as_ref().map_or(true, |page| (502..=504).contains(&page.status));
            match page {
                _ if away && began.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                Ok(page) if page.status == 200 => return Ok(page),
                Ok(page) => bail!("{path}: {} {}", page.status, page.words()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Opens a page, whatever its status.
    pub async fn look(&self, path: &str) -> anyhow::Result<Page> {
        read(self.http.get(self.base.join(path)?).header("Sec-Fetch-Site", "none")).await
    }

    /// Saves a file; anything but 200 fails. Tried again while a service is away.
    pub async fn save(&self, path: &str) -> anyhow::Result<Download> {
        let began = Instant::now();
        loop {
            let answer = self.http.get(self.base.join(path)?).header("Sec-Fetch-Site", "same-origin").send().await;
            let away = answer.as_ref().map_or(true, |answer| (502..=504).contains(&answer.status().as_u16()));
            if away && began.elapsed() < PATIENCE {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let answer = answer?;
            let status = answer.status();
            anyhow::ensure!(status.as_u16() == 200, "{path}: {status} {}", answer.text().await?);
            let of = |name: &str| {
                answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
            };
            return Ok(Download {
                media_type: of("content-type"),
                disposition: of("content-disposition"),
                etag: of("etag"),
                bytes: answer.bytes().await?.to_vec(),
            });
        }
    }

    /// Sends a form; the answer must be a good page. Sent again while a service is away: the form's hidden key makes
    /// that harmless.
    pub async fn send(&self, form: Form) -> anyhow::Result<Page> {
        let began = Instant::now();
        loop {
            let page = self.try_send(form.clone()).await;
            let away = page.as_ref().map_or(true, |page| (502..=504).contains(&page.status));
            match page {
                _ if away && began.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                Ok(page) if page.status == 200 => return Ok(page),
                Ok(page) => bail!("{}: {} {}", form.action, page.status, page.words()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a form and gives whatever page comes.
    pub async fn try_send(&self, form: Form) -> anyhow::Result<Page> {
        if !form.post {
            return read(self.http.get(form.action.clone()).query(&form.fields)).await;
        }
        // What a real browser says about a form of the page's own origin.
        let request = self
            .http
            .post(form.action.clone())
            .header("Origin", self.base.origin().ascii_serialization())
            .header("Sec-Fetch-Site", "same-origin");
        let request = if form.multipart {
            let mut parts = reqwest::multipart::Form::new();
            for (name, value) in form.fields {
                parts = parts.text(name, value);
            }
            for (field, name, content) in form.files {
                let part =
                    reqwest::multipart::Part::bytes(content).file_name(name).mime_str("application/octet-stream")?;
                parts = parts.part(field, part);
            }
            request.multipart(parts)
        } else {
            request.form(&form.fields)
        };
        read(request).await
    }
}

async fn read(request: RequestBuilder) -> anyhow::Result<Page> {
    let answer = request.send().await?;
    let (url, status) = (answer.url().clone(), answer.status().as_u16());
    Ok(Page { url, status, html: answer.text().await? })
}

impl Page {
    /// The form that changes something and whose address ends so.
    pub fn form(&self, ending: &str) -> anyhow::Result<Form> {
        self.find(ending, true)
    }

    /// The form that searches and whose address ends so.
    pub fn search(&self, ending: &str) -> anyhow::Result<Form> {
        self.find(ending, false)
    }

    fn find(&self, ending: &str, post: bool) -> anyhow::Result<Form> {
        let forms = self.forms()?;
        let known: Vec<String> = forms.iter().map(|form| form.action.path().to_owned()).collect();
        forms
            .into_iter()
            .find(|form| form.post == post && form.action.path().ends_with(ending))
            .with_context(|| format!("{} has no form to …{ending}, only {known:?}: {}", self.url, self.words()))
    }

    /// The addresses of links that begin so and also contain a text, in their order.
    pub fn links(&self, beginning: &str, containing: &str) -> Vec<String> {
        let fits =
            |href: &&String| href.starts_with(beginning) && href.len() > beginning.len() && href.contains(containing);
        tags(&self.html)
            .into_iter()
            .filter(|tag| tag.name == "a")
            .filter_map(|tag| tag.attributes.get("href").filter(fits).cloned())
            .collect()
    }

    /// The first of them.
    pub fn link(&self, beginning: &str, containing: &str) -> anyhow::Result<String> {
        let first = self.links(beginning, containing).into_iter().next();
        first.with_context(|| format!("{} has no link to {beginning}… {containing}: {}", self.url, self.words()))
    }

    /// Whether the page says something.
    pub fn says(&self, words: &str) -> bool {
        self.html.contains(words) || unescape(&self.html).contains(words)
    }

    /// The words of the page without its marks, not too many.
    pub fn words(&self) -> String {
        let start = self.html.find("<main").unwrap_or(0);
        let text: Vec<String> = tags(&self.html[start..]).iter().map(|tag| unescape(&tag.after)).collect();
        let text = text.join(" ");
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").chars().take(700).collect()
    }

    /// Every form of the page.
    fn forms(&self) -> anyhow::Result<Vec<Form>> {
        let mut forms = Vec::new();
        let mut open: Option<Form> = None;
        let mut select: Option<Select> = None;
        for tag in tags(&self.html) {
            let of = |name: &str| tag.attributes.get(name).cloned();
            match (tag.name.as_str(), &mut open) {
                ("form", _) => {
                    let action = of("action").unwrap_or_default();
                    open = Some(Form {
                        action: self.url.join(&action)?,
                        post: of("method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
                        multipart: of("enctype").is_some_and(|kind| kind == "multipart/form-data"),
                        fields: Vec::new(),
                        names: Vec::new(),
                        files: Vec::new(),
                    });
                }
                ("/form", _) => forms.extend(open.take()),
                ("input", Some(form)) => {
                    let Some(name) = of("name") else { continue };
                    form.names.push(name.clone());
                    let kind = of("type").unwrap_or_default();
                    let ticked = tag.attributes.contains_key("checked");
                    match kind.as_str() {
                        "checkbox" | "radio" if ticked => {
                            form.fields.push((name, of("value").unwrap_or_else(|| "on".to_owned())));
                        }
                        "checkbox" | "radio" | "file" | "submit" | "button" => {}
                        _ => form.fields.push((name, of("value").unwrap_or_default())),
                    }
                }
                ("textarea", Some(form)) => {
                    let Some(name) = of("name") else { continue };
                    form.names.push(name.clone());
                    let text = tag.after.strip_prefix('\n').unwrap_or(&tag.after);
                    form.fields.push((name, unescape(text)));
                }
                ("select", Some(_)) => select = of("name").map(|name| Select { name, value: None }),
                ("option", Some(_)) => {
                    if let Some(select) = &mut select {
                        let value = of("value").unwrap_or_else(|| unescape(tag.after.trim()));
                        if select.value.is_none() || tag.attributes.contains_key("selected") {
                            select.value = Some(value);
                        }
                    }
                }
                ("/select", Some(form)) => {
                    if let Some(select) = select.take() {
                        form.names.push(select.name.clone());
                        form.fields.extend(select.value.map(|value| (select.name, value)));
                    }
                }
                _ => {}
            }
        }
        Ok(forms)
    }
}

struct Select {
    name: String,
    value: Option<String>,
}

impl Form {
    /// Types into a field (replaces what stood there). Fails when the form has no such field.
    pub fn set(mut self, name: &str, value: &str) -> anyhow::Result<Self> {
        self.known(name)?;
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Ticks one more box of a name.
    pub fn tick(mut self, name: &str, value: &str) -> anyhow::Result<Self> {
        self.known(name)?;
        self.fields.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Chooses a file.
    pub fn attach(mut self, name: &str, file_name: &str, content: Vec<u8>) -> anyhow::Result<Self> {
        self.known(name)?;
        self.files.push((name.to_owned(), file_name.to_owned(), content));
        Ok(self)
    }

    /// Whether the form has a field.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Presses the button with this name and value.
    #[must_use]
    pub fn press(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn known(&self, name: &str) -> anyhow::Result<()> {
        if self.has(name) {
            Ok(())
        } else {
            bail!("the form {} has no field {name}, only {:?}", self.action.path(), self.names)
        }
    }
}

/// A tag with what follows it up to the next one.
#[derive(Debug)]
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    after: String,
}

/// The tags of well-formed HTML in their order. A sign `>` inside of quotes does not end a tag.
fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let inner = &rest[start + 1..];
        if let Some(comment) = inner.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let mut quote = None;
        let end = inner.char_indices().find(|(_, c)| {
            match (quote, *c) {
                (None, '"' | '\'') => quote = Some(*c),
                (Some(open), c) if c == open => quote = None,
                (None, '>') => return true,
                _ => {}
            }
            false
        });
        let Some((end, _)) = end else { break };
        let (text, behind) = (&inner[..end], &inner[end + 1..]);
        let after = behind.find('<').map_or(behind, |next| &behind[..next]);
        let (name, attributes) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        found.push(Tag {
            name: name.trim_end_matches('/').to_lowercase(),
            attributes: attributes_of(attributes),
            after: after.to_owned(),
        });
        rest = behind;
    }
    found
}

fn attributes_of(mut text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let end = text.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(text.len());
        if end == 0 {
            return found;
        }
        let name = text[..end].to_lowercase();
        text = text[end..].trim_start();
        let Some(value) = text.strip_prefix('=') else {
            found.insert(name, String::new());
            continue;
        };
        let value = value.trim_start();
        let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (content, rest) = match quoted {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        found.insert(name, unescape(content));
        text = rest;
    }
}

/// The characters behind the references that askama writes.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(&rest[..start]);
        let behind = &rest[start + 1..];
        let Some((name, after)) = behind.split_once(';').filter(|(name, _)| name.len() <= 8) else {
            out.push('&');
            rest = behind;
            continue;
        };
        let number = name.strip_prefix("#x").map(|hex| u32::from_str_radix(hex, 16));
        let number = number.or_else(|| name.strip_prefix('#').map(str::parse));
        let character = match (name, number) {
            (_, Some(Ok(number))) => char::from_u32(number),
            ("amp", _) => Some('&'),
            ("lt", _) => Some('<'),
            ("gt", _) => Some('>'),
            ("quot", _) => Some('"'),
            ("apos", _) => Some('\''),
            ("nbsp", _) => Some(' '),
            _ => None,
        };
        if let Some(character) = character {
            out.push(character);
            rest = after;
        } else {
            out.push('&');
            rest = behind;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_reads_it() {
        let html = r#"<main><!-- <form action="/no"> --><form action="/cases/1/findings" method="post" enctype="multipart/form-data">
            <input type="hidden" name="_key" value="a&#34;b > c"><input type=checkbox name=box value=1>
            <input type="checkbox" name="box" value="2" checked><textarea name="text">
第一&amp;行</textarea><select name="s"><option value="x">X</option><option value="y" selected>Y</option></select>
            <input type="file" name="photo"><button>送出</button></form></main>"#;
        let page = Page { url: "http://127.0.0.1/cases/1".parse().unwrap(), status: 200, html: html.to_owned() };
        let form = page.form("/findings").unwrap();
        let expected = [("_key", "a\"b > c"), ("box", "2"), ("text", "第一&行"), ("s", "y")];
        assert_eq!(form.fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(form.multipart && form.post && form.has("photo"));
        assert!(form.clone().set("nothing", "").is_err());
        assert_eq!(page.words(), "第一&行 X Y 送出");
    }
}
