//! The example configuration loads, and faults are told.

use std::fmt::Write as _;

use console::Config;
use service_kit::config::load;

#[test]
fn the_example_configuration_loads() {
    let folder = tempfile_folder("console-example");
    std::fs::create_dir_all(folder.join("secrets")).unwrap();
    std::fs::write(folder.join("secrets/console-key"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/console.example.toml")).unwrap();
    let secret = folder.join("secrets/console-key");
    let text = example.replace("secrets/console-key", secret.to_str().unwrap());
    std::fs::write(folder.join("console.toml"), text).unwrap();
    let config: Config = load(Some(&folder.join("console.toml")), &[]).unwrap();
    assert!(config.session.secure_cookies);
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
}

#[test]
fn every_fault_is_told_at_once() {
    let folder = tempfile_folder("console-faults");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("key"), "short").unwrap();
    let services = ["registry", "tasks", "deadlines", "reporting", "notifications", "publication", "documents"];
    let mut text = String::from("[http]\nlisten = \"127.0.0.1:0\"\n[services]\nexchange = \"ftp://x\"\n");
    for service in services {
        writeln!(text, "{service} = \"http://127.0.0.1:1\"").unwrap();
    }
    writeln!(text, "[session]\nkey_file = \"{}\"", folder.join("key").display()).unwrap();
    std::fs::write(folder.join("console.toml"), text).unwrap();
    let faults = load::<Config>(Some(&folder.join("console.toml")), &[]).unwrap_err().to_string();
    assert!(faults.contains("services.exchange") && faults.contains("session.key_file"), "{faults}");
}

fn tempfile_folder(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
