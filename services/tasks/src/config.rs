//! What the service is told at start.

use std::path::PathBuf;

use service_kit::config::{Common, Faults, Validate};

service_kit::section! {
    /// `[rulebook]`: the policy as data.
    pub struct RulebookSection {
        /// Folder with `calendars/` and a folder for each province's rules.
        pub folder: PathBuf,
        /// The folder below it with the implementation plan, the units and the agencies' words.
        pub policy: String = "hainan-2021".to_owned(),
    }
}

service_kit::config! {
    /// The configuration of `tasks`.
    pub struct Config : Common {
        /// `[rulebook]`
        pub rulebook: RulebookSection,
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Faults) {
        let name = &self.rulebook.policy;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            faults.add(
                "rulebook.policy",
                "只能是文件夹名称，由字母、数字和连字符组成",
                "must be the name of a folder: letters, digits and hyphens",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config: Config = testkit::example_config(env!("CARGO_MANIFEST_DIR"), "tasks");
        assert_eq!(config.rulebook.policy, "hainan-2021");
    }
}
