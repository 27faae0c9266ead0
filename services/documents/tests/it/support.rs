//! The press of the tests, contents, and poppler's view of a page.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use documents::content::{Finding, OpinionLetter};
use documents::{Body, Content, Frozen, Kind, PaperState};
use documents_room::config::{FontsSection, RenderingSection};
use documents_room::press::{Format, Press};
use service_kit::config::SecretFile;

pub const PORTAL: &str = "https://dudao.example";
/// Points of a millimetre.
pub const MM: f64 = 72.0 / 25.4;

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The key of the room, which signs what it made.
pub static KEY: LazyLock<String> = LazyLock::new(|| messaging::JournalKey::generate().unwrap());

pub static PRESS: LazyLock<Press> = LazyLock::new(|| {
    let secret = std::env::temp_dir().join(format!("dudao-documents-key-{}", uuid()));
    std::fs::write(&secret, &*KEY).unwrap();
    let rendering = RenderingSection {
        templates: root().join("rulebook/documents"),
        portal: PORTAL.to_owned(),
        signing_key_file: Some(SecretFile::read(&secret).unwrap()),
        threads: 2,
        queue: 8,
    };
    let fonts = root().join(".tools/fonts");
    assert!(fonts.is_dir(), "fonts are missing: run deploy/dev/install.sh");
    let press = Press::load(&rendering, &FontsSection::in_folders(vec![fonts])).unwrap();
    std::fs::remove_file(&secret).unwrap();
    press
});

pub fn sample(kind: Kind) -> Content {
    let file = root().join(format!("crates/documents/samples/{}.json", kind.as_str()));
    Content::from_json(&std::fs::read(file).unwrap()).unwrap()
}

pub fn pdf(frozen: &Frozen) -> Vec<u8> {
    PRESS.render(frozen.text().as_bytes(), Format::Pdf, PaperState::Genuine).unwrap().bytes
}

/// An opinion letter with so many findings and this evaluation.
pub fn letter(evaluation: &str, findings: u32) -> Content {
    let mut content = sample(Kind::OpinionLetter);
    content.head.attachments.clear();
    let findings = (1..=findings)
        .map(|number| Finding {
            advice: None,
            basis: Some("《义务教育学校管理标准》".to_owned()),
            category: Some(format!("办学条件第{number}类")),
            demand: Some("限期整改到位，并提交佐证材料。".to_owned()),
            due_on: None,
            limit: Some("自签收之日起30日".to_owned()),
            number,
            problem: "教学仪器设备配备不足，实验课开出率没有达到规定要求，图书更新不及时。".to_owned(),
            responsible_unit: Some("海口市琼山实验学校".to_owned()),
            severity: Some("一般".to_owned()),
        })
        .collect();
    content.body = Body::from(OpinionLetter {
        advice: None,
        case_title: "综合督导".to_owned(),
        demand: Some("请按照整改要求逐项整改。".to_owned()),
        evaluation: evaluation.to_owned(),
        facts: None,
        findings,
        objection_right: None,
        plea: None,
        plea_treatment: None,
        reasons: None,
        supervision_kind: None,
        team: Vec::new(),
        unit: "海口市琼山实验学校".to_owned(),
        visits: Vec::new(),
        votes_for: None,
        votes_total: None,
    });
    content
}

/// Runs a tool over a PDF on its standard input or, where it reads files only, over a file.
pub fn tool(name: &str, arguments: &[&str], pdf: &[u8]) -> Vec<u8> {
    let folder = std::env::temp_dir().join(format!("dudao-pages-{}", uuid()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("page.pdf");
    std::fs::File::create(&file).unwrap().write_all(pdf).unwrap();
    let arguments: Vec<&str> =
        arguments.iter().map(|word| if *word == "FILE" { file.to_str().unwrap() } else { word }).collect();
    let done = Command::new(name).args(&arguments).stdin(Stdio::null()).output();
    let done = done.unwrap_or_else(|error| panic!("{name}: {error}; run deploy/dev/install.sh"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn uuid() -> String {
    use service_kit::ids::{Ids as _, SystemIds};
    SystemIds.new_id().simple().to_string()
}

/// A line of text with its place on the page, in points from the upper left corner.
#[derive(Debug, Clone)]
pub struct Line {
    pub text: String,
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Line {
    pub fn is_page_number(&self) -> bool {
        self.text.starts_with('—') && self.text.ends_with('—')
    }
}

/// The lines of every page.
pub fn lines(pdf: &[u8]) -> Vec<Vec<Line>> {
    let layout = String::from_utf8(tool("pdftotext", &["-bbox-layout", "-enc", "UTF-8", "FILE", "-"], pdf)).unwrap();
    let number = |text: &str, name: &str| -> f64 {
        text.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    layout
        .split("<page ")
        .skip(1)
        .map(|page| {
            page.split("<line ")
                .skip(1)
                .map(|line| {
                    let (place, words) = line.split_once('>').unwrap();
                    let text = words
                        .split("<word ")
                        .skip(1)
                        .map(|word| word.split_once('>').unwrap().1.split("</word>").next().unwrap())
                        .collect::<Vec<_>>()
                        .join("");
                    Line {
                        text: text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"),
                        left: number(place, "xMin"),
                        top: number(place, "yMin"),
                        right: number(place, "xMax"),
                        bottom: number(place, "yMax"),
                    }
                })
                .collect()
        })
        .collect()
}

/// The text in the order of setting, without blanks and page numbers.
pub fn text_of(pdf: &[u8]) -> String {
    let text = String::from_utf8(tool("pdftotext", &["-raw", "-enc", "UTF-8", "FILE", "-"], pdf)).unwrap();
    let shown: Vec<&str> =
        text.lines().filter(|line| !(line.trim().starts_with("— ") && line.trim().ends_with(" —"))).collect();
    bare(&shown.concat())
}

/// Without anything that is only layout.
pub fn bare(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control() && *letter != '\u{200B}').collect()
}

/// A page as pixels, so many to the inch.
pub fn pixels(pdf: &[u8], page: usize, dpi: u32) -> image::RgbImage {
    let (page, dpi) = (page.to_string(), dpi.to_string());
    let png = tool("pdftoppm", &["-png", "-r", &dpi, "-f", &page, "-l", &page, "FILE"], pdf);
    image::load_from_memory(&png).unwrap().to_rgb8()
}
