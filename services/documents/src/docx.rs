//! Word: the same paper as an OOXML document, for offices that go on working with it.
//!
//! Written here and not by a library: the page needs a document grid, different feet for odd, even and first pages, a
//! squeezed agency mark and an imprint that stands at the foot, and the bytes must be the same every time.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use documents::paper::{Align, Column, FormCell};
use documents::template::Page;
use documents::{Block, Paper, attachment_line, half_width};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::qr::QrSquare;

/// Red of the agency mark.
const RED: &str = "E60012";
/// Size 3 (三号), in half points.
const TEXT: u32 = 32;

/// Names of the typefaces as Word knows them; offices have the official ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Title,
    Body,
    Kai,
    Hei,
    Song,
}

impl Face {
    fn name(self) -> &'static str {
        match self {
            Self::Title => "方正小标宋简体",
            Self::Body => "仿宋_GB2312",
            Self::Kai => "楷体_GB2312",
            Self::Hei => "黑体",
            Self::Song => "宋体",
        }
    }
}

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
pub enum DocxError {
    /// The package.
    #[error("the package cannot be written")]
    Package(#[from] zip::result::ZipError),
    /// A part of it.
    #[error("a part of the package cannot be written")]
    Part(#[from] std::io::Error),
    /// The QR code's picture.
    #[error("the picture of the QR code cannot be written")]
    Picture(#[from] image::ImageError),
}

/// Writes a paper as DOCX.
pub fn docx(paper: &Paper, page: &Page) -> Result<Vec<u8>, DocxError> {
    let qr = paper.blocks.iter().find_map(|block| match block {
        Block::Verification { address, .. } => address.as_deref().and_then(QrSquare::new),
        _ => None,
    });
    let picture = qr.map(picture).transpose()?;
    let writer = Writer { paper, page };
    let verification = writer.verification(picture.is_some());
    let mut parts: Vec<(&str, Vec<u8>)> = vec![
        ("[Content_Types].xml", CONTENT_TYPES.as_bytes().to_vec()),
        ("_rels/.rels", PACKAGE_RELATIONS.as_bytes().to_vec()),
        ("docProps/core.xml", writer.properties().into_bytes()),
        ("word/document.xml", writer.document().into_bytes()),
        ("word/styles.xml", styles().into_bytes()),
        ("word/settings.xml", SETTINGS.as_bytes().to_vec()),
        ("word/header.xml", writer.header().into_bytes()),
        ("word/footer-first.xml", foot(&format!("{}{verification}", page_number("right"))).into_bytes()),
        ("word/footer-odd.xml", foot(&page_number("right")).into_bytes()),
        ("word/footer-even.xml", foot(&page_number("left")).into_bytes()),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS.as_bytes().to_vec()),
    ];
    if let Some(picture) = picture {
        parts.push(("word/_rels/footer-first.xml.rels", FOOT_RELATIONS.as_bytes().to_vec()));
        parts.push(("word/media/qr.png", picture));
    }
    // The default date of the package's entries is fixed (1980), so equal papers are equal packages.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(name, options.last_modified_time(zip::DateTime::default()))?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn picture(qr: QrSquare) -> Result<Vec<u8>, DocxError> {
    const SCALE: usize = 6;
    let side = qr.side();
    let luma = qr.into_luma();
    let pixels = u32::try_from(side * SCALE).unwrap_or_default();
    let image = image::GrayImage::from_fn(pixels, pixels, |x, y| {
        let at = |place: u32| usize::try_from(place).unwrap_or_default() / SCALE;
        image::Luma([luma.get(at(y) * side + at(x)).copied().unwrap_or(255)])
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

/// Twentieths of a point.
fn twips(millimetres: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "measures of a page")]
    let twips = (millimetres * 1440.0 / 25.4).round() as i64;
    twips
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// A run of text; line breaks become breaks.
fn run(text: &str, face: Face, size: u32, more: &str) -> String {
    let name = face.name();
    let mut out = format!(
        r#"<w:r><w:rPr><w:rFonts w:ascii="{name}" w:eastAsia="{name}" w:hAnsi="{name}" w:cs="{name}"/>{more}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr>"#
    );
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            out.push_str("<w:br/>");
        }
        let _ = write!(out, r#"<w:t xml:space="preserve">{}</w:t>"#, escape(line));
    }
    out.push_str("</w:r>");
    out
}

fn paragraph(properties: &str, runs: &str) -> String {
    format!("<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>")
}

fn foot(body: &str) -> String {
    format!(r"{XML}<w:ftr {NAMESPACES}>{body}</w:ftr>")
}

/// `— 1 —` in size 4, one character in from the outer edge.
fn page_number(side: &str) -> String {
    let field =
        |kind: &str| format!(r#"<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:fldChar w:fldCharType="{kind}"/></w:r>"#);
    let indent = if side == "right" { r#"<w:ind w:right="280"/>"# } else { r#"<w:ind w:left="280"/>"# };
    paragraph(
        &format!(r#"{indent}<w:jc w:val="{side}"/>"#),
        &format!(
            r#"{}{}<w:r><w:rPr><w:sz w:val="28"/></w:rPr><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>{}{}"#,
            run("— ", Face::Song, 28, ""),
            field("begin"),
            field("end"),
            run(" —", Face::Song, 28, ""),
        ),
    )
}

struct Writer<'a> {
    paper: &'a Paper,
    page: &'a Page,
}

impl Writer<'_> {
    /// Pitch of the lines.
    fn pitch(&self) -> i64 {
        twips(self.page.area_height / f64::from(self.page.lines))
    }

    fn width(&self) -> i64 {
        twips(self.page.area_width)
    }

    fn text(&self, properties: &str, runs: &str) -> String {
        let pitch = self.pitch();
        paragraph(&format!(r#"<w:spacing w:line="{pitch}" w:lineRule="exact"/>{properties}"#), runs)
    }

    fn blank(&self) -> String {
        self.text("", "")
    }

    fn document(&self) -> String {
        let mut body = String::new();
        let blocks: Vec<&Block> =
            self.paper.blocks.iter().filter(|block| !matches!(block, Block::Verification { .. })).collect();
        for (place, block) in blocks.iter().enumerate() {
            let next = blocks.get(place + 1).copied();
            let tied = matches!(next, Some(Block::Signature { .. } | Block::Attachments { .. }));
            self.block(&mut body, block, tied, place == 0);
        }
        let page = self.page;
        format!(
            r#"{XML}<w:document {NAMESPACES}><w:body>{body}<w:sectPr><w:headerReference w:type="default" r:id="rId3"/><w:headerReference w:type="even" r:id="rId3"/><w:headerReference w:type="first" r:id="rId3"/><w:footerReference w:type="default" r:id="rId4"/><w:footerReference w:type="even" r:id="rId5"/><w:footerReference w:type="first" r:id="rId6"/><w:pgSz w:w="{}" w:h="{}"/><w:pgMar w:top="{}" w:right="{}" w:bottom="{}" w:left="{}" w:header="850" w:footer="{}" w:gutter="0"/><w:titlePg/><w:docGrid w:type="linesAndChars" w:linePitch="{}" w:charSpace="{}"/></w:sectPr></w:body></w:document>"#,
            twips(page.width),
            twips(page.height),
            twips(page.top),
            twips(page.width - page.left - page.area_width),
            twips(page.height - page.top - page.area_height),
            twips(page.left),
            twips(page.height - page.top - page.area_height - page.page_number_below - 7.0),
            self.pitch(),
            // 4096ths of a point between the grid and size 3.
            (twips(page.area_width / f64::from(page.characters)) - 320) * 4096 / 20,
        )
    }

    fn block(&self, out: &mut String, block: &Block, tied: bool, first: bool) {
        let keep = if tied { "<w:keepNext/><w:keepLines/>" } else { "" };
        let indented = r#"<w:ind w:firstLineChars="200" w:firstLine="632"/><w:jc w:val="both"/>"#;
        match block {
            Block::Marks { lines } => {
                let lines: Vec<String> = lines.iter().map(|line| run(line, Face::Hei, TEXT, "")).collect();
                out.push_str(&self.text("", &lines.join("<w:r><w:br/></w:r>")));
            }
            Block::Mark { text } => self.mark(out, text),
            Block::Number { number, signer } => self.number(out, number, signer.as_deref()),
            Block::Reference { text } => {
                out.push_str(&self.blank());
                out.push_str(&self.text(r#"<w:jc w:val="right"/>"#, &run(text, Face::Body, TEXT, "")));
            }
            Block::Title { lines } => self.title(out, &lines.join("\n"), !first),
            Block::Caption { text } => self.title(out, text, false),
            Block::Addressee { text } => {
                out.push_str(&self.blank());
                out.push_str(&self.text("", &run(text, Face::Body, TEXT, "")));
            }
            Block::Paragraph { text } | Block::Annotation { text } => {
                // Properties stand in the schema's order: keepNext, keepLines, spacing, ind, jc.
                let spacing = format!(r#"<w:spacing w:line="{}" w:lineRule="exact"/>"#, self.pitch());
                let properties = format!("{keep}{spacing}{indented}");
                out.push_str(&paragraph(&properties, &run(text, Face::Body, TEXT, "")));
            }
            Block::Heading { level, text } => {
                let face = match level {
                    1 => Face::Hei,
                    2 => Face::Kai,
                    _ => Face::Body,
                };
                let spacing = format!(r#"<w:spacing w:line="{}" w:lineRule="exact"/>"#, self.pitch());
                let properties = format!(
                    r#"<w:pStyle w:val="Heading{level}"/><w:keepNext/>{spacing}{indented}<w:outlineLvl w:val="{}"/>"#,
                    level.saturating_sub(1)
                );
                out.push_str(&paragraph(&properties, &run(text, face, TEXT, "")));
            }
            Block::Table { columns, rows } => self.table(out, columns, rows),
            Block::Form { widths, rows } => self.form(out, widths, rows),
            Block::Attachments { items } => self.attachments(out, items),
            Block::Signature { agency, date } => self.signature(out, agency, date),
            Block::PageBreak => out.push_str(r#"<w:p><w:r><w:br w:type="page"/></w:r></w:p>"#),
            Block::Imprint { copies, office, date } => self.imprint(out, copies.as_deref(), office, date),
            Block::Verification { .. } => {}
        }
    }

    fn mark(&self, out: &mut String, text: &str) {
        let letters = f64::from(u32::try_from(text.chars().count().max(1)).unwrap_or(u32::MAX));
        let width = self.page.area_width * 0.98 * 72.0 / 25.4;
        let height = (width / (letters * 0.62)).min(48.0);
        let squeeze = (width / (letters * height)).min(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size between 1 and 96")]
        let (size, scale) = ((height * 2.0).round() as u32, (squeeze * 100.0).floor() as u32);
        let above = twips(self.page.mark_below_top);
        out.push_str(&paragraph(&format!(r#"<w:spacing w:line="{above}" w:lineRule="exact"/>"#), ""));
        let more = format!(r#"<w:color w:val="{RED}"/><w:w w:val="{scale}"/>"#);
        out.push_str(&paragraph(r#"<w:jc w:val="center"/>"#, &run(text, Face::Title, size, &more)));
        out.push_str(&self.blank());
        out.push_str(&self.blank());
    }

    fn number(&self, out: &mut String, number: &str, signer: Option<&str>) {
        // The distance to the rule in points.
        #[expect(clippy::cast_possible_truncation, reason = "four millimetres")]
        let space = (self.page.rule_below_number * 72.0 / 25.4).round() as i64;
        let rule =
            format!(r#"<w:pBdr><w:bottom w:val="single" w:sz="12" w:space="{space}" w:color="{RED}"/></w:pBdr>"#);
        let (properties, runs) = match signer {
            None => (format!(r#"{rule}<w:jc w:val="center"/>"#), run(number, Face::Body, TEXT, "")),
            Some(signer) => (
                format!(
                    r#"{rule}<w:tabs><w:tab w:val="right" w:pos="{}"/></w:tabs><w:ind w:left="316"/>"#,
                    self.width() - 316
                ),
                format!(
                    "{}<w:r><w:tab/></w:r>{}{}",
                    run(number, Face::Body, TEXT, ""),
                    run("签发人：", Face::Body, TEXT, ""),
                    run(signer, Face::Kai, TEXT, "")
                ),
            ),
        };
        out.push_str(&paragraph(&properties, &runs));
    }

    fn title(&self, out: &mut String, text: &str, apart: bool) {
        if apart {
            out.push_str(&self.blank());
            out.push_str(&self.blank());
        }
        let properties = r#"<w:spacing w:line="720" w:lineRule="exact"/><w:jc w:val="center"/>"#;
        out.push_str(&paragraph(properties, &run(text, Face::Title, 44, "")));
    }

    fn attachments(&self, out: &mut String, items: &[String]) {
        out.push_str(&paragraph(
            &format!(r#"<w:keepNext/><w:spacing w:line="{}" w:lineRule="exact"/>"#, self.pitch()),
            "",
        ));
        for (place, item) in items.iter().enumerate() {
            let characters = if place == 0 { 200 } else { 500 };
            let properties = format!(
                r#"<w:keepNext/><w:spacing w:line="{}" w:lineRule="exact"/><w:ind w:firstLineChars="{characters}" w:firstLine="{}"/>"#,
                self.pitch(),
                characters * 316 / 100
            );
            out.push_str(&paragraph(
                &properties,
                &run(&attachment_line(items.len(), place, item), Face::Body, TEXT, ""),
            ));
        }
    }

    /// The date four characters from the right, the agency centred over it.
    fn signature(&self, out: &mut String, agency: &str, date: &str) {
        let character = self.width() / i64::from(self.page.characters);
        let half = |text: &str| i64::try_from(half_width(text)).unwrap_or_default() * character / 2;
        let difference = (half(agency) - half(date)) / 2;
        let agency_in = (4 * character - difference).max(0);
        let date_in = (agency_in + difference).max(0);
        let spacing = format!(r#"<w:keepNext/><w:spacing w:line="{}" w:lineRule="exact"/>"#, self.pitch());
        for _ in 0..2 {
            out.push_str(&paragraph(&spacing, ""));
        }
        let right = |indent: i64| format!(r#"<w:ind w:right="{indent}"/><w:jc w:val="right"/>"#);
        out.push_str(&paragraph(&format!("{spacing}{}", right(agency_in)), &run(agency, Face::Body, TEXT, "")));
        out.push_str(&self.text(&right(date_in), &run(date, Face::Body, TEXT, "")));
    }

    fn imprint(&self, out: &mut String, copies: Option<&str>, office: &str, date: &str) {
        let width = self.width();
        // 0.35 mm is one point, 0.25 mm three quarters of one: eighths of a point.
        let rule =
            |name: &str, size: u32| format!(r#"<w:{name} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>"#);
        let mut rows = String::new();
        let row = |borders: &str, paragraph: &str| {
            format!(
                r#"<w:tr><w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:tcBorders>{borders}</w:tcBorders></w:tcPr>{paragraph}</w:tc></w:tr>"#
            )
        };
        if let Some(copies) = copies {
            let text = paragraph(
                r#"<w:spacing w:line="480" w:lineRule="exact"/><w:ind w:left="1120" w:right="280" w:hanging="840"/>"#,
                &run(copies, Face::Body, 28, ""),
            );
            rows.push_str(&row(&format!("{}{}", rule("top", 8), rule("bottom", 6)), &text));
        }
        let text = paragraph(
            &format!(
                r#"<w:tabs><w:tab w:val="right" w:pos="{}"/></w:tabs><w:spacing w:line="480" w:lineRule="exact"/><w:ind w:left="280" w:right="280"/>"#,
                width - 280
            ),
            &format!("{}<w:r><w:tab/></w:r>{}", run(office, Face::Body, 28, ""), run(date, Face::Body, 28, "")),
        );
        let top = if copies.is_some() { String::new() } else { rule("top", 8) };
        rows.push_str(&row(&format!("{top}{}", rule("bottom", 8)), &text));
        let _ = write!(
            out,
            r#"<w:tbl><w:tblPr><w:tblpPr w:vertAnchor="margin" w:horzAnchor="margin" w:tblpXSpec="left" w:tblpYSpec="bottom"/><w:tblW w:w="{width}" w:type="dxa"/><w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid><w:gridCol w:w="{width}"/></w:tblGrid>{rows}</w:tbl>{}"#,
            paragraph(r#"<w:spacing w:line="20" w:lineRule="exact"/>"#, "")
        );
    }

    fn table(&self, out: &mut String, columns: &[Column], rows: &[Vec<String>]) {
        let widths: Vec<u32> = columns.iter().map(|column| column.width).collect();
        let grid = self.shares(&widths);
        open_table(out, self.width(), &grid);
        out.push_str("<w:tr><w:trPr><w:tblHeader/></w:trPr>");
        for (column, width) in columns.iter().zip(&grid) {
            out.push_str(&cell(*width, 1, Align::Center, &run(&column.title, Face::Hei, 24, ""), 360));
        }
        out.push_str("</w:tr>");
        for row in rows {
            out.push_str("<w:tr>");
            for ((text, column), width) in row.iter().zip(columns).zip(&grid) {
                out.push_str(&cell(*width, 1, column.align, &run(text, Face::Body, 24, ""), 360));
            }
            out.push_str("</w:tr>");
        }
        out.push_str("</w:tbl>");
        out.push_str(&paragraph(r#"<w:spacing w:line="120" w:lineRule="exact"/>"#, ""));
    }

    fn form(&self, out: &mut String, widths: &[u32], rows: &[Vec<FormCell>]) {
        let grid = self.shares(widths);
        open_table(out, self.width(), &grid);
        for row in rows {
            let lines = row.iter().map(|cell| cell.lines).max().unwrap_or(1);
            let _ =
                write!(out, r#"<w:tr><w:trPr><w:trHeight w:val="{}" w:hRule="atLeast"/></w:trPr>"#, lines * 440 + 160);
            let mut columns = grid.iter();
            for part in row {
                let width = columns.by_ref().take(usize::try_from(part.span).unwrap_or(1)).sum();
                let face = if part.label { Face::Hei } else { Face::Body };
                out.push_str(&cell(width, part.span, part.align, &run(&part.text, face, 28, ""), 440));
            }
            out.push_str("</w:tr>");
        }
        out.push_str("</w:tbl>");
        out.push_str(&paragraph(r#"<w:spacing w:line="120" w:lineRule="exact"/>"#, ""));
    }

    fn shares(&self, widths: &[u32]) -> Vec<i64> {
        let all: i64 = widths.iter().map(|width| i64::from(*width)).sum::<i64>().max(1);
        widths.iter().map(|width| self.width() * i64::from(*width) / all).collect()
    }

    fn verification(&self, picture: bool) -> String {
        let mut out = String::new();
        for block in &self.paper.blocks {
            if let Block::Verification { code, text, .. } = block {
                let drawing = if picture { DRAWING } else { "" };
                let words = run(&format!("核验码：{code}\n{text}"), Face::Hei, 15, "");
                out.push_str(&paragraph("", &format!("{drawing}{words}")));
            }
        }
        out
    }

    fn header(&self) -> String {
        let body = self.paper.watermark.map_or_else(
            || paragraph("", ""),
            |word| {
                let more = format!(r#"<w:b/><w:color w:val="{RED}"/>"#);
                paragraph(r#"<w:jc w:val="center"/>"#, &run(&format!("【{word}】"), Face::Hei, 52, &more))
            },
        );
        format!(r"{XML}<w:hdr {NAMESPACES}>{body}</w:hdr>")
    }

    fn properties(&self) -> String {
        let paper = self.paper;
        format!(
            r#"{XML}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{}</dc:title><dc:creator>{}</dc:creator><dc:identifier>{}</dc:identifier><dc:language>zh-CN</dc:language><dcterms:created xsi:type="dcterms:W3CDTF">{}T00:00:00Z</dcterms:created></cp:coreProperties>"#,
            escape(&paper.title),
            escape(&paper.agency),
            paper.sha256,
            paper.issued_on,
        )
    }
}

fn styles() -> String {
    let body = Face::Body.name();
    let mut headings = String::new();
    for level in 1..=4 {
        let _ = write!(
            headings,
            r#"<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/><w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:qFormat/></w:style>"#
        );
    }
    format!(
        r#"{XML}<w:styles {NAMESPACES}><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="{body}" w:eastAsia="{body}" w:hAnsi="{body}" w:cs="{body}"/><w:sz w:val="{TEXT}"/><w:szCs w:val="{TEXT}"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:widowControl w:val="0"/><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/><w:spacing w:before="0" w:after="0"/></w:pPr></w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>{headings}</w:styles>"#
    )
}

fn open_table(out: &mut String, width: i64, grid: &[i64]) {
    let mut sides = String::new();
    for side in ["top", "left", "bottom", "right", "insideH", "insideV"] {
        let _ = write!(sides, r#"<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>"#);
    }
    let mut columns = String::new();
    for width in grid {
        let _ = write!(columns, r#"<w:gridCol w:w="{width}"/>"#);
    }
    let _ = write!(
        out,
        r#"<w:tbl><w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:tblBorders>{sides}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="80" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>{columns}</w:tblGrid>"#
    );
}

fn cell(width: i64, span: u32, align: Align, runs: &str, line: u32) -> String {
    let jc = match align {
        Align::Left => "left",
        Align::Center => "center",
    };
    let span = if span > 1 { format!(r#"<w:gridSpan w:val="{span}"/>"#) } else { String::new() };
    format!(
        r#"<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{span}<w:vAlign w:val="center"/></w:tcPr>{}</w:tc>"#,
        paragraph(&format!(r#"<w:spacing w:line="{line}" w:lineRule="exact"/><w:jc w:val="{jc}"/>"#), runs)
    )
}

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
const NAMESPACES: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture""#;
const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/><Override PartName="/word/header.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"/><Override PartName="/word/footer-first.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/word/footer-odd.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/word/footer-even.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/></Types>"#;
const PACKAGE_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>"#;
const DOCUMENT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/settings" Target="settings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/header" Target="header.xml"/><Relationship Id="rId4" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer-odd.xml"/><Relationship Id="rId5" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer-even.xml"/><Relationship Id="rId6" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer" Target="footer-first.xml"/></Relationships>"#;
const FOOT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="media/qr.png"/></Relationships>"#;
const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:defaultTabStop w:val="420"/><w:evenAndOddHeaders/><w:characterSpacingControl w:val="compressPunctuation"/><w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>"#;
/// Seventeen millimetres square.
const DRAWING: &str = r#"<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="612000" cy="612000"/><wp:docPr id="1" name="QR" descr="核验二维码"/><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="1" name="qr.png"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId1"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="612000" cy="612000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"#;
