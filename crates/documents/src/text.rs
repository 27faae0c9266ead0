//! The plain text of a paper.

use std::fmt::Write as _;

use crate::frozen::Frozen;
use crate::paper::{Block, Paper, PaperState};
use crate::template::Templates;

impl Paper {
    /// The document as plain text, a line for each paragraph, the cells of a row separated by tabs.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        if let Some(word) = self.watermark {
            line(&mut out, &format!("【{word}】"));
        }
        for block in &self.blocks {
            write_block(&mut out, block);
        }
        out
    }
}

impl Templates {
    /// The plain text of a content, with the templates that it names; `None` when its hash is not that of the document, or there
    /// are no such templates: then it is nobody's paper, or cannot be shown as it was issued.
    pub fn text_of(&self, frozen: &Frozen, sha256: &str, state: PaperState, portal: &str) -> Option<String> {
        if frozen.sha256() != sha256 {
            return None;
        }
        let template = self.version(&frozen.content().template)?;
        Some(template.compose(frozen, state, Some(portal)).ok()?.to_text())
    }
}

fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::Marks { lines } => lines.iter().for_each(|mark| line(out, mark)),
        Block::Title { lines } => line(out, &lines.concat()),
        Block::Number { number, signer } => match signer {
            Some(signer) => line(out, &format!("{number}\t签发人：{signer}")),
            None => line(out, number),
        },
        Block::Mark { text }
        | Block::Reference { text }
        | Block::Addressee { text }
        | Block::Paragraph { text }
        | Block::Heading { text, .. }
        | Block::Caption { text }
        | Block::Annotation { text } => line(out, text),
        Block::Table { columns, rows } => {
            line(out, &columns.iter().map(|column| column.title.as_str()).collect::<Vec<_>>().join("\t"));
            for row in rows {
                line(out, &row.join("\t"));
            }
        }
        Block::Form { rows, .. } => {
            for row in rows {
                line(out, &row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("\t"));
            }
        }
        Block::Attachments { items } => {
            for (place, item) in items.iter().enumerate() {
                line(out, &attachment_line(items.len(), place, item));
            }
        }
        Block::Signature { agency, date } => {
            line(out, agency);
            line(out, date);
        }
        // A form feed is plain text's page break.
        Block::PageBreak => out.push('\u{c}'),
        Block::Imprint { copies, office, date } => {
            if let Some(copies) = copies {
                line(out, copies);
            }
            line(out, &format!("{office}\t{date}"));
        }
        Block::Verification { code, text, .. } => line(out, &format!("核验码：{code}\n{text}")),
    }
}

/// A line of the attachment note (附件说明): a single attachment has no number (GB/T 9704-2012, 7.3.4).
pub fn attachment_line(count: usize, place: usize, title: &str) -> String {
    match (count, place) {
        (1, _) => format!("附件：{title}"),
        (_, 0) => format!("附件：1.{title}"),
        (_, place) => format!("{}.{title}", place + 1),
    }
}
