//! Fonts: found once, when the first document asks; each file is read when its first glyph is set.
//!
//! A folder holds whole font files; the first folder that has a family wins, so an operator mounts the official typefaces
//! (方正小标宋、仿宋_GB2312、楷体_GB2312、黑体) in front of the open ones. Only facts about the fonts stay in memory until a
//! font is used: an idle room is small.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// The families of each style, the preferred one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Families {
    /// Titles and the agency mark (小标宋体).
    pub title: Vec<String>,
    /// Text (仿宋体).
    pub body: Vec<String>,
    /// Headings of level 2 (楷体).
    pub kai: Vec<String>,
    /// Headings of level 1 (黑体).
    pub hei: Vec<String>,
    /// Page numbers (宋体).
    pub song: Vec<String>,
    /// Latin letters and digits within the text.
    pub latin: Vec<String>,
}

/// Why there are no fonts to work with.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// A folder that cannot be read.
    #[error("the font folder {folder} cannot be read")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No family of a style is there.
    #[error("none of the families {families:?} is in the font folders (style {style})")]
    NoFamily {
        /// The style.
        style: &'static str,
        /// The families that were looked for.
        families: Vec<String>,
    },
}

#[derive(Debug)]
struct Face {
    file: PathBuf,
    index: u32,
    loaded: OnceLock<Option<Font>>,
}

/// The fonts of the process.
#[derive(Debug)]
pub struct Fonts {
    book: LazyHash<FontBook>,
    faces: Vec<Face>,
    families: Families,
    fingerprint: String,
}

impl Fonts {
    /// Looks through the folders. `wanted` lists the families of each style, `fallback` those that stand in for missing
    /// characters; families that are not there are passed over, but every style needs one.
    pub fn find(folders: &[PathBuf], wanted: &Families, fallback: &[String]) -> Result<Self, FontError> {
        let named: BTreeSet<String> =
            [&wanted.title, &wanted.body, &wanted.kai, &wanted.hei, &wanted.song, &wanted.latin]
                .into_iter()
                .chain([&fallback.to_vec()])
                .flatten()
                .map(|family| family.to_lowercase())
                .collect();
        let mut infos = Vec::new();
        let mut faces = Vec::new();
        let mut fingerprint = Sha256::new();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for folder in folders {
            let mut here = BTreeSet::new();
            for file in font_files(folder)? {
                let Ok(data) = std::fs::read(&file) else {
                    tracing::warn!(file = %file.display(), "a font file cannot be read and is passed over");
                    continue;
                };
                for (index, info) in (0..).zip(FontInfo::iter(&data)) {
                    let family = info.family.to_lowercase();
                    if !named.contains(&family) || taken.contains(&family) {
                        continue;
                    }
                    fingerprint.update(info.family.as_bytes());
                    fingerprint.update(Sha256::digest(&data));
                    here.insert(family);
                    infos.push(info);
                    faces.push(Face { file: file.clone(), index, loaded: OnceLock::new() });
                }
            }
            taken.extend(here);
        }
        let book = FontBook::from_infos(infos);
        let families = resolve(&book, wanted, fallback)?;
        Ok(Self { book: LazyHash::new(book), faces, families, fingerprint: hex::encode(fingerprint.finalize()) })
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    /// The font at a place of the book, read when it is first wanted.
    pub(crate) fn font(&self, index: usize) -> Option<Font> {
        let face = self.faces.get(index)?;
        face.loaded
            .get_or_init(|| {
                // The file was read before; when it is gone meanwhile, another font stands in, or the text is refused.
                let data = std::fs::read(&face.file).ok()?;
                Font::new(Bytes::new(data), face.index)
            })
            .clone()
    }

    /// The families of each style that are there, each list followed by those that stand in.
    pub(crate) fn families(&self) -> &Families {
        &self.families
    }

    /// A name for this set of fonts: other fonts, other pages.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Characters that no font has, each once.
    pub(crate) fn missing(&self, text: &str) -> Vec<char> {
        let wanted: BTreeSet<char> = text.chars().filter(|letter| !is_invisible(*letter)).collect();
        let families: BTreeSet<usize> = self
            .families
            .body
            .iter()
            .flat_map(|family| self.book.select_family(&family.to_lowercase()).collect::<Vec<_>>())
            .collect();
        wanted
            .into_iter()
            .filter(|letter| {
                !families
                    .iter()
                    .any(|index| self.book.info(*index).is_some_and(|info| info.coverage.contains(u32::from(*letter))))
            })
            .collect()
    }
}

/// Blanks, line ends and marks that only steer the shaping need no glyph.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(u32::from(letter),
            0xAD | 0x034F | 0x061C | 0x180B..=0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F
            | 0xFE00..=0xFE0F | 0xFEFF | 0xE0000..=0xE0FFF)
}

fn font_files(folder: &Path) -> Result<Vec<PathBuf>, FontError> {
    let failed = |source| FontError::Folder { folder: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            files.extend(font_files(&path)?);
        } else if path
            .extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| ["otf", "ttf", "ttc", "otc"].contains(&extension.to_lowercase().as_str()))
        {
            files.push(path);
        }
    }
    // The same order on every machine, so that the same fonts give the same pages.
    files.sort();
    Ok(files)
}

fn resolve(book: &FontBook, wanted: &Families, fallback: &[String]) -> Result<Families, FontError> {
    let there = |family: &String| book.contains_family(&family.to_lowercase());
    let every = [&wanted.body, &wanted.title, &wanted.kai, &wanted.hei, &wanted.song];
    let style = |style: &'static str, families: &[String]| {
        let mut list: Vec<String> = families.iter().filter(|family| there(family)).take(1).cloned().collect();
        if list.is_empty() {
            return Err(FontError::NoFamily { style, families: families.to_vec() });
        }
        // Every list covers the same characters in the end.
        for family in families.iter().chain(fallback).chain(every.into_iter().flatten()).filter(|family| there(family))
        {
            if !list.contains(family) {
                list.push(family.clone());
            }
        }
        Ok(list)
    };
    Ok(Families {
        title: style("title", &wanted.title)?,
        body: style("body", &wanted.body)?,
        kai: style("kai", &wanted.kai)?,
        hei: style("hei", &wanted.hei)?,
        song: style("song", &wanted.song)?,
        latin: style("latin", &wanted.latin)?,
    })
}
