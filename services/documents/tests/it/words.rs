//! Characters: those that fonts lack, and whatever people may type.

use documents::{Content, ContentError, Kind, PaperState};
use documents_room::press::{Format, PressError};
use documents_room::typeset::TypesetError;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{PORTAL, PRESS, letter, pdf, pixels, sample, text_of, tool};

#[test]
fn rare_characters_of_names_come_from_a_font_that_has_them() {
    let rare = "喆堃珺玥琤璟芃翀旻昇赟瑨祎禤";
    let pdf = pdf(&letter(rare, 0).freeze());
    assert!(text_of(&pdf).contains(rare));
    assert!(String::from_utf8(tool("pdffonts", &["FILE"], &pdf)).unwrap().contains("NotoSerifCJK"));
}

#[test]
fn other_scripts_are_set_and_right_to_left_is_not_lost() {
    let text = text_of(&pdf(&letter("مدرسة与Школа、😀和→", 0).freeze()));
    assert!(text.contains("Школа") && text.contains('😀') && text.contains('→'), "{text}");
    for letter in "مدرسة".chars() {
        assert!(text.contains(letter), "{letter} in {text}");
    }
}

#[test]
fn a_character_that_no_font_has_is_named() {
    let content = letter("此处有\u{13000}和\u{1F9EC}。", 0).freeze();
    let refused = PRESS.render(content.text().as_bytes(), Format::Pdf, PaperState::Genuine).unwrap_err();
    let PressError::Typeset(TypesetError::MissingCharacters(missing)) = &refused else { panic!("{refused:?}") };
    assert_eq!(missing, &['\u{13000}', '\u{1F9EC}']);
    assert!(refused.to_string().contains("U+13000"));
    // Text and Word need no font of ours.
    PRESS.render(content.text().as_bytes(), Format::Docx, PaperState::Genuine).unwrap();
}

#[test]
fn a_document_that_does_not_hold_says_so_on_every_page() {
    let frozen = sample(Kind::UrgingOrder).freeze();
    let bytes = |state| PRESS.render(frozen.text().as_bytes(), Format::Pdf, state).unwrap();
    let void = bytes(PaperState::Void);
    let pages = crate::support::lines(&void.bytes).len();
    assert_eq!(text_of(&void.bytes).matches("作废").count(), pages);
    assert!(text_of(&bytes(PaperState::Replaced).bytes).contains("已被替代"));
    assert_ne!(void.etag, bytes(PaperState::Genuine).etag);
}

#[test]
fn other_bytes_than_the_frozen_ones_are_refused() {
    let frozen = sample(Kind::UrgingOrder).freeze();
    let spaced = frozen.text().replacen(':', ": ", 1);
    let refused = PRESS.render(spaced.as_bytes(), Format::Txt, PaperState::Genuine).unwrap_err();
    assert!(matches!(refused, PressError::Content(ContentError::NotCanonical(_))));
    let unknown = frozen.text().replace("\"2026-1\"", "\"1999-1\"");
    let refused = PRESS.render(unknown.as_bytes(), Format::Txt, PaperState::Genuine).unwrap_err();
    assert!(matches!(refused, PressError::UnknownTemplate(version) if version == "1999-1"));
}

fn rewrite(value: &mut Value, texts: &mut impl Iterator<Item = String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let free =
                    ["title", "problem", "demand", "subject", "evaluation", "facts", "reason", "addressee", "copies"];
                if free.contains(&name.as_str()) || !value.is_string() {
                    rewrite(value, texts);
                }
            }
        }
        Value::Array(values) => {
            values.iter_mut().filter(|value| !value.is_string()).for_each(|value| rewrite(value, texts));
        }
        Value::String(text) => {
            if let Some(new) = texts.next() {
                *text = new;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Any content is rendered, or refused for the characters that no font has; nothing panics.
    #[test]
    fn any_content_is_rendered_or_refused(
        kind in 0..Kind::ALL.len(),
        texts in prop::collection::vec(prop_oneof![any::<String>(), "[ -~\u{4e00}-\u{9fff}，。《》\n]{0,120}"], 1..8),
    ) {
        let mut value: Value = serde_json::from_str(sample(Kind::ALL[kind]).freeze().text()).unwrap();
        rewrite(&mut value, &mut texts.iter().cloned().cycle());
        let frozen = Content::from_json(value.to_string().as_bytes()).unwrap().freeze();
        match PRESS.render(frozen.text().as_bytes(), Format::Pdf, PaperState::Genuine) {
            Ok(rendered) => prop_assert!(rendered.bytes.starts_with(b"%PDF-1.7")),
            Err(PressError::Typeset(TypesetError::MissingCharacters(missing))) => prop_assert!(!missing.is_empty()),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
        PRESS.render(frozen.text().as_bytes(), Format::Docx, PaperState::Genuine).unwrap();
    }
}

/// The QR code of every kind, read off the printed page as a phone does, leads to the document's own page.
#[test]
fn the_qr_code_on_the_page_leads_to_the_page_of_verification() {
    for kind in Kind::ALL {
        let frozen = sample(*kind).freeze();
        let page = image::DynamicImage::from(pixels(&pdf(&frozen), 1, 400)).into_luma8();
        // The foot of the page, below the type area.
        let top = page.height() * 255 / 297;
        let (width, height) = (page.width() as usize, (page.height() - top) as usize);
        let mut seen = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            page.get_pixel(x as u32, y as u32 + top).0[0]
        });
        let grids = seen.detect_grids();
        assert_eq!(grids.len(), 1, "{}", kind.as_str());
        let (_, address) = grids[0].decode().unwrap();
        assert_eq!(address, format!("{PORTAL}/verify/{}", frozen.code()), "{}", kind.as_str());
    }
}
