//! What a message must satisfy before it is sent, and what the simulator of the platform checks on arrival.

use std::collections::BTreeSet;

use domain::code::{DivisionCode, DivisionShape, SchoolCode};
use domain::doc_number::DocNumber;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Content, Document, FORMAT, Message, OpinionLetter};

/// What is wrong with a message, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// JSON pointer into the payload, for instance `/unit/code`.
    pub field: String,
    /// Reason with remedy, Simplified Chinese.
    pub reason_zh: String,
    /// Reason with remedy, English.
    pub reason_en: String,
}

impl Fault {
    fn new(field: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { field: field.into(), reason_zh: zh.into(), reason_en: en.into() }
    }
}

impl Message {
    /// Reads a message and checks it; every fault of content is named, of form the first.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let message: Self = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(bytes))
            .map_err(|error| {
                let field = pointer(error.path());
                let inner = error.inner();
                vec![Fault::new(
                    field,
                    format!("不符合 {FORMAT} 格式：{inner}"),
                    format!("does not have the form {FORMAT}: {inner}"),
                )]
            })?;
        let faults = message.faults();
        if faults.is_empty() { Ok(message) } else { Err(faults) }
    }

    /// Everything that is wrong with the content.
    pub fn faults(&self) -> Vec<Fault> {
        let mut check = Check(Vec::new());
        if self.format != FORMAT {
            check.fault("/format", format!("必须是 {FORMAT}"), format!("must be {FORMAT}"));
        }
        let sender = self.sender.parse::<DivisionCode>();
        if !sender.as_ref().is_ok_and(|code| code.shape() == DivisionShape::Province) {
            check.fault(
                "/sender",
                "必须是省级行政区划代码，例如 460000",
                "must be the division code of a province, such as 460000",
            );
        }
        self.check_case(&mut check);
        self.check_unit(sender.ok(), &mut check);
        match &self.content {
            Content::OpinionLetter(letter) => check_letter(letter, &mut check),
            Content::Rectification(body) => {
                check.document("/content/rectification/letter", &body.letter);
                check.numbers("/content/rectification/items", body.items.iter().map(|item| item.number));
                for (n, item) in body.items.iter().enumerate() {
                    check.text(&format!("/content/rectification/items/{n}/responsible_unit"), &item.responsible_unit);
                }
            }
            Content::UrgingOrder(body) => {
                check.document("/content/urging_order/document", &body.document);
                check.numbers("/content/urging_order/items", body.items.iter().map(|item| item.number));
                if self.case.sequence.checked_sub(2) != Some(body.number) {
                    check.fault(
                        "/content/urging_order/number",
                        "必须等于报文序号减 2",
                        "must be the sequence number less 2",
                    );
                }
            }
            Content::Closure(body) => {
                check.document("/content/closure/letter", &body.letter);
                check.numbers("/content/closure/items", body.items.iter().map(|item| item.number));
                for (n, doc_no) in body.urging_orders.iter().enumerate() {
                    check.doc_no(&format!("/content/closure/urging_orders/{n}"), doc_no);
                }
                for (n, item) in body.items.iter().enumerate() {
                    if item.closed_on.is_none() {
                        check.fault(
                            format!("/content/closure/items/{n}/closed_on"),
                            "该事项尚未销号，不能上报办结",
                            "this item is not closed yet, so the case is not",
                        );
                    }
                }
            }
        }
        check.0
    }

    fn check_case(&self, check: &mut Check) {
        check.text("/case/title", &self.case.title);
        let sequence = self.case.sequence;
        let fits = match &self.content {
            Content::OpinionLetter(_) => sequence == 1,
            Content::Rectification(_) => sequence == 2,
            Content::UrgingOrder(_) => sequence > 2,
            Content::Closure(body) => {
                usize::try_from(sequence).ok().and_then(|n| n.checked_sub(3)) == Some(body.urging_orders.len())
            }
        };
        if !fits {
            check.fault(
                "/case/sequence",
                format!("序号 {sequence} 与报文种类不符"),
                format!("{sequence} is not the place of this kind of message"),
            );
        }
    }

    fn check_unit(&self, sender: Option<DivisionCode>, check: &mut Check) {
        let unit = &self.unit;
        check.text("/unit/name", &unit.name);
        match unit.code.as_deref() {
            None | Some("") => check.fault(
                "/unit/code",
                "缺少单位代码，请在单位名册中补登学校（机构）标识码",
                "the unit has no code; enter its identifier in the register",
            ),
            Some(code) if code.starts_with(|c: char| c.is_ascii_digit()) => {
                if let Err(error) = code.parse::<SchoolCode>() {
                    check.fault("/unit/code", error.zh(), error.en());
                }
            }
            Some(key) => {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                if !key.chars().all(plain) || key.len() > 64 {
                    check.fault(
                        "/unit/code",
                        "既不是学校（机构）标识码，也不是单位名册中的单位键",
                        "is neither an identifier nor a key of the register",
                    );
                }
            }
        }
        match unit.county_code.as_deref().map(str::parse::<DivisionCode>) {
            None => {}
            Some(Err(error)) => check.fault("/unit/county_code", error.zh(), error.en()),
            Some(Ok(code)) if sender.is_some_and(|sender| code.province() != sender.province()) => check.fault(
                "/unit/county_code",
                format!("{code} 不在上报省份之内"),
                format!("{code} does not lie in the province that sends"),
            ),
            Some(Ok(_)) => check.text("/unit/county_name", unit.county_name.as_deref().unwrap_or_default()),
        }
    }
}

fn check_letter(letter: &OpinionLetter, check: &mut Check) {
    check.document("/content/opinion_letter/document", &letter.document);
    check.text("/content/opinion_letter/evaluation", &letter.evaluation);
    check.numbers("/content/opinion_letter/items", letter.items.iter().map(|item| item.number));
    for (n, item) in letter.items.iter().enumerate() {
        for (name, text) in [
            ("category", &item.category),
            ("description", &item.description),
            ("basis", &item.basis),
            ("demand", &item.demand),
            ("responsible_unit", &item.responsible_unit),
        ] {
            check.text(&format!("/content/opinion_letter/items/{n}/{name}"), text);
        }
    }
}

struct Check(Vec<Fault>);

impl Check {
    fn fault(&mut self, field: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) {
        self.0.push(Fault::new(field, zh, en));
    }

    fn text(&mut self, field: &str, text: &str) {
        if text.trim().is_empty() {
            self.fault(field, "不能为空", "must not be empty");
        }
    }

    fn doc_no(&mut self, field: &str, doc_no: &str) {
        if doc_no.parse::<DocNumber>().is_err() {
            self.fault(
                field,
                "不是规范的发文字号，例如“琼教督委〔2026〕12号”",
                "is not a document number such as 琼教督委〔2026〕12号",
            );
        }
    }

    fn document(&mut self, field: &str, document: &Document) {
        self.doc_no(&format!("{field}/doc_no"), &document.doc_no);
        self.text(&format!("{field}/title"), &document.title);
        self.text(&format!("{field}/issuing_agency"), &document.issuing_agency);
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if document.content_sha256.as_ref().is_some_and(|hash| hash.len() != 64 || !hash.bytes().all(digit)) {
            self.fault(
                format!("{field}/content_sha256"),
                "必须是 64 位小写十六进制的校验值",
                "must be a hash of 64 hexadecimal digits in lower case",
            );
        }
        if let Some(text) = &document.text {
            self.text(&format!("{field}/text"), text);
        }
    }

    /// At least one item, numbers from 1 up, none twice.
    fn numbers(&mut self, field: &str, numbers: impl Iterator<Item = i32>) {
        let mut seen = BTreeSet::new();
        let mut count = 0_usize;
        for number in numbers {
            if number < 1 || !seen.insert(number) {
                self.fault(
                    format!("{field}/{count}/number"),
                    "序号必须从 1 起且不得重复",
                    "numbers begin at 1 and do not repeat",
                );
            }
            count += 1;
        }
        if count == 0 {
            self.fault(field, "至少应有一项", "needs at least one item");
        }
    }
}

/// The path of a reading error as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        text.push('/');
        text.push_str(&part);
    }
    text
}
