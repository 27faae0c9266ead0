//! PDF, Word and plain text say the same.

use std::io::{Cursor, Read as _};

use documents::{Block, Content, Kind, PaperState};
use documents_room::press::Format;

use crate::support::{MM, PRESS, bare, letter, pdf, sample, text_of};

/// The plain text without what stands at the foot of the first page, and that.
fn expected(content: &Content) -> (String, String) {
    let frozen = content.clone().freeze();
    let template = PRESS.templates().version("2026-1").unwrap();
    let mut paper = PRESS.paper(&frozen, template, PaperState::Genuine).unwrap();
    let foot = paper.blocks.pop().unwrap();
    let Block::Verification { code, text, .. } = foot else { panic!("the last block verifies") };
    (bare(&paper.to_text()), bare(&format!("核验码：{code}{text}")))
}

fn table_heads(content: &Content) -> Vec<String> {
    let template = PRESS.templates().version("2026-1").unwrap();
    let paper = PRESS.paper(&content.clone().freeze(), template, PaperState::Genuine).unwrap();
    let head = |block: &Block| match block {
        Block::Table { columns, .. } => Some(columns.iter().map(|column| column.title.as_str()).collect()),
        _ => None,
    };
    paper.blocks.iter().filter_map(head).collect()
}

fn docx_parts(bytes: Vec<u8>) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names
        .into_iter()
        .filter(|name| !name.contains("/media/"))
        .map(|name| {
            let mut text = String::new();
            zip.by_name(&name).unwrap().read_to_string(&mut text).unwrap();
            (name, text)
        })
        .collect()
}

/// Every element is closed in its turn, and attributes hold no brackets.
fn assert_well_formed(name: &str, xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in xml.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap_or_else(|| panic!("{name}: {tag}"));
        assert!(!text.contains('>'), "{name}: {text}");
        let word = tag.split([' ', '/']).next().unwrap();
        if tag.starts_with('?') || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{name}"),
            None => open.push(word),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: {tag}");
    }
    assert!(open.is_empty(), "{name}: {open:?}");
}

fn words_of(xml: &str) -> String {
    let unescaped =
        |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    xml.split("<w:t xml:space=\"preserve\">")
        .skip(1)
        .map(|run| unescaped(run.split("</w:t>").next().unwrap()))
        .collect()
}

fn agree(name: &str, content: &Content) {
    let (text, foot) = expected(content);
    let frozen = content.clone().freeze();
    let pdf = text_of(&pdf(&frozen));
    assert!(pdf.contains(&foot), "{name}: {foot} in {pdf}");
    let mut pdf = pdf.replacen(&foot, "", 1);
    for head in table_heads(content) {
        // A table that goes on overleaf has its head there again.
        let (before, after) = pdf.split_at(pdf.find(&head).unwrap() + head.len());
        pdf = format!("{before}{}", after.replace(&head, ""));
    }
    assert_eq!(pdf, text, "{name}: PDF");
    let docx = PRESS.render(frozen.text().as_bytes(), Format::Docx, PaperState::Genuine).unwrap().bytes;
    let parts = docx_parts(docx);
    for (part, xml) in &parts {
        assert_well_formed(part, xml);
    }
    let part = |name: &str| &parts.iter().find(|(part, _)| part == name).unwrap().1;
    assert_eq!(bare(&words_of(part("word/document.xml"))), text, "{name}: DOCX");
    assert!(bare(&words_of(part("word/footer-first.xml"))).contains(&foot));
}

#[test]
fn the_three_forms_of_every_kind_say_the_same() {
    for kind in Kind::ALL {
        agree(kind.as_str(), &sample(*kind));
    }
}

#[test]
fn markup_in_what_people_write_is_printed_as_they_wrote_it() {
    let hostile = "#eval(\"1+1\") *粗* _斜_ $x^2$ `代码` <标签> @引用 \\n \\u{41} // 注释 /* */ [括号] {花括号} #import \"x\" \
                   ~ -- --- ... 'a' \"b\" “引号” &amp; <w:t>x</w:t> ]]> %d {doc_no}";
    let mut content = letter(hostile, 1);
    content.head.title = format!("关于{hostile}的意见书");
    content.head.copies = vec![hostile.to_owned()];
    agree("hostile", &content);
    let text = text_of(&pdf(&content.freeze()));
    assert!(text.contains(&bare("#eval(\"1+1\") *粗* _斜_ $x^2$")), "{text}");
}

#[test]
fn long_words_break_and_control_characters_vanish() {
    let mut content = letter(&format!("见{}。\u{1}\u{7}\t后续", "https://example.org/path?x=1&".repeat(12)), 1);
    content.head.addressee = Some("单位\r\n名称".to_owned());
    agree("long", &content);
}

#[test]
fn word_has_the_page_of_the_standard() {
    let frozen = sample(Kind::OpinionLetter).freeze();
    let docx = PRESS.render(frozen.text().as_bytes(), Format::Docx, PaperState::Void).unwrap().bytes;
    let parts = docx_parts(docx);
    let part = |name: &str| &parts.iter().find(|(part, _)| part == name).unwrap().1;
    let document = part("word/document.xml");
    let attribute = |element: &str, name: &str| -> f64 {
        let element = document.split(&format!("<w:{element} ")).nth(1).unwrap().split('>').next().unwrap();
        element.split(&format!("w:{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    for (element, name, millimetres) in [
        ("pgSz", "w", 210.0),
        ("pgSz", "h", 297.0),
        ("pgMar", "top", 37.0),
        ("pgMar", "left", 28.0),
        ("pgMar", "right", 26.0),
        ("pgMar", "bottom", 35.0),
    ] {
        assert!((attribute(element, name) / 20.0 / MM - millimetres).abs() < 0.1, "{element} {name}");
    }
    assert!((attribute("docGrid", "linePitch") / 20.0 - 225.0 / 22.0 * MM).abs() < 0.05);
    for font in ["方正小标宋简体", "仿宋_GB2312", "楷体_GB2312", "黑体"] {
        assert!(document.contains(font), "{font}");
    }
    assert!(part("word/header.xml").contains("【作废】"));
    assert!(part("word/settings.xml").contains("evenAndOddHeaders"));
    assert!(part("word/footer-even.xml").contains("PAGE"));
}
