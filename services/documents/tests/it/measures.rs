//! GB/T 9704-2012 with a ruler.

use documents::{Kind, PaperState};
use documents_room::press::Format;
use sha2::{Digest as _, Sha256};

use crate::support::{MM, PRESS, letter, lines, pdf, pixels, sample, tool};

const LEFT: f64 = 28.0 * MM;
const RIGHT: f64 = (28.0 + 156.0) * MM;
const TOP: f64 = 37.0 * MM;
const BOTTOM: f64 = (37.0 + 225.0) * MM;

#[test]
fn a_full_page_has_22_lines_of_28_characters_in_the_type_area() {
    let pdf = pdf(&letter(&"督".repeat(28 * 22 * 3), 0).freeze());
    let info = String::from_utf8(tool("pdfinfo", &["FILE"], &pdf)).unwrap();
    assert!(info.contains("(A4)"), "{info}");
    let pages = lines(&pdf);
    assert!(pages.len() >= 4);
    for page in &pages[1..3] {
        let text: Vec<_> = page.iter().filter(|line| !line.is_page_number()).collect();
        assert_eq!(text.len(), 22);
        for line in &text {
            assert_eq!(line.text.chars().count(), 28, "{}", line.text);
            assert!((line.left - LEFT).abs() < 0.5 && (line.right - RIGHT).abs() < 0.5, "{line:?}");
        }
        let (first, last) = (text.first().unwrap(), text.last().unwrap());
        assert!(first.top >= TOP && last.bottom <= BOTTOM, "{first:?} {last:?}");
        let pitch = (last.top - first.top) / 21.0;
        assert!((pitch - 225.0 / 22.0 * MM).abs() < 0.05, "{pitch}");
        // The lines lie in the middle of their bands, the first as far from the edge as the last.
        assert!(((first.top - TOP) - (BOTTOM - last.bottom)).abs() < 0.5);
    }
}

#[test]
fn no_line_of_any_kind_leaves_the_type_area() {
    for kind in Kind::ALL {
        for (number, page) in lines(&pdf(&sample(*kind).freeze())).iter().enumerate() {
            for line in page {
                // A mark at either end of a line is set in half its room; its box is not.
                let leading = if line.text.starts_with(['〔', '（', '《', '“']) { 8.0 } else { 0.0 };
                let hanging = if line.text.ends_with(['，', '、', '。', '；', '：', '）', '》', '”']) {
                    8.0
                } else {
                    0.0
                };
                assert!(
                    line.left > LEFT - 0.6 - leading && line.right < RIGHT + 0.6 + hanging,
                    "{}, {}: {line:?}",
                    kind.as_str(),
                    number + 1
                );
                let foot = line.top > BOTTOM;
                assert!(line.top > TOP - 0.6, "{line:?}");
                assert!(!foot || line.is_page_number() || number == 0, "{}: {line:?}", kind.as_str());
            }
        }
    }
}

#[test]
fn page_numbers_stand_outside_and_7_mm_below_the_type_area() {
    let pdf = pdf(&letter(&"督导".repeat(800), 0).freeze());
    for (place, page) in lines(&pdf).iter().enumerate() {
        let number = place + 1;
        let foot = page.iter().find(|line| line.is_page_number()).unwrap();
        assert_eq!(foot.text.replace(['—', ' '], ""), number.to_string());
        if number % 2 == 1 {
            assert!((foot.right - (RIGHT - 14.0)).abs() < 1.0, "{foot:?}");
        } else {
            assert!((foot.left - (LEFT + 14.0)).abs() < 1.0, "{foot:?}");
        }
        // The one-em rule by its pixels: a row with much ink, in the column of the first half em.
        let dpi = 300.0;
        let image = pixels(&pdf, number, 300);
        let column = ((foot.left + 5.0) / 72.0 * dpi) as u32;
        let inked: Vec<u32> = (((BOTTOM + 5.0) / 72.0 * dpi) as u32..image.height())
            .filter(|y| image.get_pixel(column, *y)[0] < 128)
            .collect();
        let rule = f64::from(*inked.first().unwrap()) / dpi * 25.4;
        assert!((rule - (262.0 + 7.0)).abs() < 0.6, "page {number}: {rule} mm");
    }
}

fn is_red(pixel: image::Rgb<u8>) -> bool {
    pixel[0] > 180 && pixel[1] < 90 && pixel[2] < 90
}

#[test]
fn the_agency_mark_and_the_rule_are_red_and_where_they_belong() {
    let dpi = 150.0;
    let mm = |pixels: u32| f64::from(pixels) / dpi * 25.4;
    let pdf = pdf(&sample(Kind::OpinionLetter).freeze());
    let image = pixels(&pdf, 1, 150);
    let rows: Vec<(u32, Vec<u32>)> = (0..image.height())
        .map(|y| (y, (0..image.width()).filter(|x| is_red(*image.get_pixel(*x, y))).collect()))
        .filter(|(_, red): &(u32, Vec<u32>)| !red.is_empty())
        .collect();
    let top = mm(rows[0].0);
    assert!((top - (37.0 + 35.0)).abs() < 1.0, "the mark begins at {top} mm");
    let is_rule = |red: &Vec<u32>| mm(red.len() as u32) > 155.0;
    let rule: Vec<_> = rows.iter().filter(|(_, red)| is_rule(red)).collect();
    assert!((mm(rule[0].1[0]) - 28.0).abs() < 0.5, "as wide as the type area");
    assert!((mm(*rule[0].1.last().unwrap()) - 184.0).abs() < 0.5);
    let page = lines(&pdf).remove(0);
    let number = page.iter().find(|line| line.text.contains('〔') && line.bottom < TOP + 100.0 * MM).unwrap();
    let gap = mm(rule[0].0) - number.bottom / MM;
    assert!((gap - 4.0).abs() < 0.8, "{gap} mm between number and rule");
    assert!(
        (f64::midpoint(number.left, number.right) - f64::midpoint(LEFT, RIGHT)).abs() < 1.0,
        "the number is centred"
    );
    let last = rows.last().unwrap().0;
    assert_eq!(last, rule.last().unwrap().0, "nothing else is red");
    for page in 2..=lines(&pdf).len() {
        let image = pixels(&pdf, page, 72);
        assert!(!image.pixels().any(|pixel| is_red(*pixel)), "page {page}");
    }
}

#[test]
fn the_date_ends_four_characters_from_the_edge_under_its_agency() {
    let mut content = letter("督导", 1);
    content.head.issuing_agency = "省督导委".to_owned();
    let pages = lines(&pdf(&content.freeze()));
    let page = pages.last().unwrap();
    let place = page.iter().position(|line| line.text == "2026年10月8日").unwrap();
    let date = &page[place];
    let agency = page.iter().find(|line| line.text == "省督导委").unwrap();
    let character = 156.0 / 28.0 * MM;
    assert!((RIGHT - date.right - 4.0 * character).abs() < 2.0, "{date:?}");
    assert!((f64::midpoint(date.left, date.right) - f64::midpoint(agency.left, agency.right)).abs() < 1.0);
    assert!(agency.bottom <= date.top + 15.0);
}

#[test]
fn a_signature_never_stands_alone_on_a_page() {
    // The text grows by a line each time, over more than a page, with and without copies in the imprint.
    for extra in 0..26 {
        let mut content = letter(&"督".repeat(28 * extra + 1), 2);
        if extra % 2 == 0 {
            content.head.copies.clear();
        }
        let pages = lines(&pdf(&content.freeze()));
        let page = pages.iter().find(|page| page.iter().any(|line| line.text == "2026年10月8日")).unwrap();
        let above = page.iter().filter(|line| line.text.contains("整改")).count();
        assert!(above > 0, "{extra}: {page:?}");
        let imprint = pages.last().unwrap().iter().find(|line| line.text.ends_with("印发")).unwrap();
        assert!((BOTTOM - imprint.bottom).abs() < 8.0, "the imprint ends the last page: {imprint:?}");
        let highest_below = page.iter().filter(|line| !line.is_page_number() && line.bottom < imprint.top - 1.0);
        assert!(highest_below.count() > 2);
        assert_eq!(pages.last().unwrap().len(), page.len(), "signature and imprint share the last page");
    }
}

#[test]
fn twenty_findings_and_a_very_long_paragraph_flow_over_pages() {
    let pages = lines(&pdf(&letter("总体情况良好。", 20).freeze()));
    assert!(pages.len() > 4);
    let all: String = pages.iter().flatten().map(|line| line.text.as_str()).collect();
    for number in ["（一）办学条件第1类", "（二十）办学条件第20类"] {
        assert!(all.contains(number), "{number}");
    }
    let pages = lines(&pdf(&letter(&"长".repeat(10_000), 0).freeze()));
    let letters: usize = pages.iter().flatten().map(|line| line.text.matches('长').count()).sum();
    assert_eq!(letters, 10_000);
}

#[test]
fn the_file_is_pdf_a_with_embedded_subsets() {
    for kind in Kind::ALL {
        let pdf = pdf(&sample(*kind).freeze());
        let xmp = String::from_utf8_lossy(&pdf);
        assert!(
            xmp.contains("<pdfaid:part>2</pdfaid:part>") && xmp.contains("<pdfaid:conformance>B</pdfaid:conformance>")
        );
        let fonts = String::from_utf8(tool("pdffonts", &["FILE"], &pdf)).unwrap();
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(fonts.len() >= 3);
        for font in fonts {
            assert_eq!(font.as_bytes()[6], b'+', "a subset: {font}");
            assert!(font.contains("yes yes yes"), "embedded, subset, with a map to Unicode: {font}");
        }
    }
}

fn hash() -> String {
    let mut all = Sha256::new();
    for kind in Kind::ALL {
        let frozen = sample(*kind).freeze();
        for format in [Format::Pdf, Format::Docx, Format::Txt] {
            all.update(PRESS.render(frozen.text().as_bytes(), format, PaperState::Genuine).unwrap().bytes);
        }
    }
    hex::encode(all.finalize())
}

#[test]
#[ignore = "the other process of the test below"]
fn other_process() {
    let line = format!("hash={}\n", hash());
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
}

#[test]
fn the_same_content_gives_the_same_bytes_here_and_in_another_process() {
    let ours = hash();
    assert_eq!(ours, hash());
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "measures::other_process", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(said.contains(&format!("hash={ours}")), "{said}");
}
