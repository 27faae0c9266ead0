//! The list of routes, and the configuration that stands beside it.

use std::path::Path;

use registry::{Config, routes};
use service_kit::config::load;

/// Every route with its permission. A change here is a change of who may do what.
const ROUTES: &str = "\
GET /v1/accounts registry.account.manage
GET /v1/accounts/{account_id} registry.account.manage
GET /v1/area-mergers registry.import.run
GET /v1/areas registry.unit.read
GET /v1/imports registry.import.run
GET /v1/imports/{import_id} registry.import.run
GET /v1/inspectors registry.inspector.read
GET /v1/inspectors/{person_id} registry.inspector.read
GET /v1/keys public
GET /v1/me account.self.read
GET /v1/sign-on public
GET /v1/units registry.unit.read
GET /v1/units/by-key/{key} registry.unit.read
GET /v1/units/{unit_id} registry.unit.read
POST /v1/accounts/{account_id}/activation registry.account.manage
POST /v1/accounts/{account_id}/deactivation registry.account.manage
POST /v1/accounts/{account_id}/identity registry.identity.manage
POST /v1/accounts/{account_id}/identity/removal registry.identity.manage
POST /v1/accounts/{account_id}/reactivation registry.account.manage
POST /v1/activations public
POST /v1/area-mergers registry.import.run
POST /v1/area-mergers/{merger_id}/withdrawal registry.import.run
POST /v1/imports registry.import.run
POST /v1/me/identity account.identity.bind
POST /v1/me/identity/attempts account.identity.bind
POST /v1/me/identity/removal account.identity.bind
POST /v1/sessions public
POST /v1/sign-on/attempts public
POST /v1/sign-on/sessions public";

#[test]
fn every_route_names_its_permission() {
    let router = routes(testkit::access());
    let mut listed: Vec<String> = router
        .listing()
        .iter()
        .map(|route| {
            format!("{} {} {}", route.method, route.path, route.action.map_or("public", access::Action::as_str))
        })
        .collect();
    listed.sort();
    assert_eq!(listed.join("\n"), ROUTES);
}

#[test]
fn the_example_of_the_configuration_is_right() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("registry.example.toml");
    let folder = std::env::temp_dir().join(format!("dudao-registry-config-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let secret = folder.join("secret");
    std::fs::write(&secret, "a sentence that nobody guesses").unwrap();
    let files = ["DATABASE__PASSWORD_FILE", "JOURNAL__SIGNING_KEY_FILE", "BOOTSTRAP__PASSWORD_FILE"];
    let mut environment: Vec<(String, String)> =
        files.iter().map(|name| (format!("DUDAO_{name}"), secret.display().to_string())).collect();
    let config: Config = load(Some(&example), &environment).unwrap();
    assert_eq!(config.bootstrap.login, "operator");
    assert!(config.oidc.is_none(), "off unless configured");
    assert_eq!(config.sign_in.trusted_proxies.len(), 1);
    assert!(!format!("{config:?}").contains("nobody guesses"));

    // A sign-on, once anything is said about it.
    let mut signing_on = environment.clone();
    signing_on.push(("DUDAO_OIDC__ISSUER".to_owned(), "http://id.example.gov".to_owned()));
    signing_on.push(("DUDAO_OIDC__CLIENT_ID".to_owned(), "dudao".to_owned()));
    let faults = load::<Config>(Some(&example), &signing_on).unwrap_err();
    let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["oidc.client_secret_file", "oidc.redirect_uri"]);
    signing_on.push(("DUDAO_OIDC__CLIENT_SECRET_FILE".to_owned(), secret.display().to_string()));
    signing_on.push(("DUDAO_OIDC__REDIRECT_URI".to_owned(), "https://dudao.example.gov/sign-on/callback".to_owned()));
    let faults = load::<Config>(Some(&example), &signing_on).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(), ["oidc.issuer"]);
    signing_on[environment.len()].1 = "https://id.example.gov/realms/province".to_owned();
    let config: Config = load(Some(&example), &signing_on).unwrap();
    assert_eq!(config.oidc.unwrap().subject_claim, "sub");

    // Every fault at once.
    std::fs::write(&secret, "short").unwrap();
    environment.push(("DUDAO_BOOTSTRAP__PROVINCE_CODE".to_owned(), "46".to_owned()));
    environment.push(("DUDAO_IMPORT__MAX_FILE_BYTES".to_owned(), "16777216".to_owned()));
    let faults = load::<Config>(Some(&example), &environment).unwrap_err();
    let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
    for key in ["bootstrap.password_file", "bootstrap.province_code", "import.max_file_bytes"] {
        assert!(keys.contains(&key), "{key} in {keys:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
