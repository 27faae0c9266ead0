//! What the service is told at start.

use std::path::PathBuf;

use messaging::JournalKey;
use service_kit::config::{AccessSection, Faults, SecretFile, StatelessCommon, Validate};

use crate::fonts::Families;

service_kit::section! {
    /// `[rendering]`: templates and worker threads.
    pub struct RenderingSection {
        /// Folder with a folder for each version of the templates (`template.toml` and `page.typ`).
        pub templates: PathBuf,
        /// Address of the public portal, without a slash at the end; documents are verified at `/verify/<code>` below it.
        /// Empty: documents carry the code without an address.
        pub portal: String = String::new(),
        /// File with the Ed25519 key that signs which files were made (`dudao key new`); the portal's page of verification
        /// knows a file by it. Without one, files are made and not known again.
        pub signing_key_file: Option<SecretFile> = None,
        /// Threads that set pages; 0 takes as many as there are cores. More would only wait for each other.
        pub threads: usize = 0,
        /// Requests that may wait for a thread; further ones are told to come again.
        pub queue: usize = 64,
    }
}

impl RenderingSection {
    /// The number of threads that set pages.
    pub fn workers(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        if self.threads == 0 { cores } else { self.threads }
    }
}

fn names(families: &[&str]) -> Vec<String> {
    families.iter().map(|family| (*family).to_owned()).collect()
}

service_kit::section! {
    /// `[fonts]`: where fonts lie and what they are called. The first family of a style that is there is taken; the
    /// official typefaces stand before the open ones.
    pub struct FontsSection {
        /// Folders with font files, every one of which is looked at; the first folder that has a family wins.
        pub folders: Vec<PathBuf>,
        /// Titles and the agency mark (小标宋体).
        pub title: Vec<String> = names(&["FZXiaoBiaoSong-B05S", "方正小标宋简体", "方正小标宋_GBK", "FandolSong", "Noto Serif CJK SC"]),
        /// Text (仿宋体).
        pub body: Vec<String> = names(&["FangSong_GB2312", "仿宋_GB2312", "FangSong", "FandolFang R"]),
        /// Headings of level 2 (楷体).
        pub kai: Vec<String> = names(&["KaiTi_GB2312", "楷体_GB2312", "KaiTi", "FandolKai"]),
        /// Headings of level 1 (黑体).
        pub hei: Vec<String> = names(&["SimHei", "黑体", "FandolHei", "Noto Sans CJK SC"]),
        /// Page numbers (宋体).
        pub song: Vec<String> = names(&["SimSun", "宋体", "FandolSong", "Noto Serif CJK SC"]),
        /// Latin letters and digits within the text.
        pub latin: Vec<String> = names(&["Times New Roman", "FangSong_GB2312", "FandolSong", "Noto Serif CJK SC"]),
        /// Families that stand in for characters that the others lack.
        pub fallback: Vec<String> = names(&["Noto Serif CJK SC", "Noto Sans CJK SC", "DejaVu Sans"]),
    }
}

impl FontsSection {
    /// The families of each style.
    pub fn families(&self) -> Families {
        Families {
            title: self.title.clone(),
            body: self.body.clone(),
            kai: self.kai.clone(),
            hei: self.hei.clone(),
            song: self.song.clone(),
            latin: self.latin.clone(),
        }
    }

    /// The section with the open typefaces alone, so that tests and benchmarks give the same pages everywhere.
    pub fn in_folders(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            title: names(&["FandolSong"]),
            body: names(&["FandolFang R"]),
            kai: names(&["FandolKai"]),
            hei: names(&["FandolHei"]),
            song: names(&["FandolSong"]),
            latin: names(&["FandolSong"]),
            fallback: names(&["Noto Serif CJK SC", "Noto Sans CJK SC", "DejaVu Sans"]),
        }
    }
}

service_kit::config! {
    /// The configuration of `documents`.
    pub struct Config : StatelessCommon {
        /// `[access]`
        pub access: AccessSection,
        /// `[rendering]`
        pub rendering: RenderingSection,
        /// `[fonts]`
        pub fonts: FontsSection,
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let portal = &self.rendering.portal;
        let address = portal.starts_with("http://") || portal.starts_with("https://");
        if !portal.is_empty() && (!address || portal.ends_with('/')) {
            faults.add(
                "rendering.portal",
                "必须是 http:// 或 https:// 地址，末尾不加斜杠",
                "must be an http:// or https:// address without a slash at the end",
            );
        }
        if self
            .rendering
            .signing_key_file
            .as_ref()
            .is_some_and(|file| JournalKey::from_bytes(file.expose().as_bytes()).is_err())
        {
            faults.add(
                "rendering.signing_key_file",
                "不是 dudao key new 生成的私钥",
                "is no private key as dudao key new makes them",
            );
        }
        if self.fonts.folders.is_empty() {
            faults.add("fonts.folders", "至少要有一个字体文件夹", "at least one folder with fonts is needed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example, with a key that exists.
    fn example(change: impl Fn(String) -> String) -> Result<Config, Faults> {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("documents.example.toml");
        let key = tempfile_of(&JournalKey::generate().unwrap());
        let text = std::fs::read_to_string(file).unwrap();
        let secret = "/run/secrets/dudao/documents-signing";
        assert!(text.contains(secret));
        let file = tempfile_of(&change(text.replace(secret, key.to_str().unwrap())));
        let config = service_kit::config::load::<Config>(Some(&file), &[]);
        std::fs::remove_file(&file).unwrap();
        std::fs::remove_file(&key).unwrap();
        config
    }

    fn tempfile_of(text: &str) -> PathBuf {
        use service_kit::ids::{Ids as _, SystemIds};
        let file = std::env::temp_dir().join(format!("dudao-documents-{}.toml", SystemIds.new_id()));
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn the_example_is_a_configuration() {
        let config = example(|text| text).unwrap();
        assert_eq!(config.rendering.queue, 64);
        assert!(config.rendering.workers() >= 1);
        assert_eq!(config.fonts.body.last().unwrap(), "FandolFang R");
    }

    #[test]
    fn every_fault_is_named() {
        let faults = example(|text| {
            text.replace("portal = \"https://jiaoyududao.example\"", "portal = \"dudao.example/\"")
                .replace("[\"/usr/share/fonts/official\"", "[")
                .replace(", \"/usr/share/fonts/dudao\"]", "]")
        })
        .unwrap_err();
        let mut keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["fonts.folders", "rendering.portal"]);
    }
}
