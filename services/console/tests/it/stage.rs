//! A console with its seven services played by one fake server, each under its own path.

use std::sync::Arc;

use access::{Caller, Role};
use axum::Router;
use axum::body::Body;
use console::api::Api;
use console::app::{AppState, routes};
use console::config::ServicesSection;
use console::page::Permissions;
use console::session::Sealer;
use console::texts::Catalogue;
use domain::ids::{AreaId, UnitId};
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use service_kit::client::Network;
use service_kit::clock::SystemClock;
use service_kit::config::OutboundSection;
use service_kit::ids::SystemIds;
use tower::ServiceExt as _;
use uuid::Uuid;
use wiremock::matchers::{body_partial_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// The gateway that is trusted.
pub const PROXY: &str = "192.0.2.1";

/// A console with its services.
pub struct Stage {
    pub server: MockServer,
    pub console: Router,
}

/// An answer of the console.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// Where it leads.
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn shows(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text} is not on the page:\n{}", self.text);
        self
    }

    #[track_caller]
    pub fn hides(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text} is on the page:\n{}", self.text);
        self
    }
}

/// An account in a role, with the scope that such roles have.
pub fn caller(role: Role) -> Caller {
    let area = Some(AreaId::new(Uuid::from_u128(0xa)));
    let unit = Some(UnitId::new(Uuid::from_u128(0xb)));
    match role {
        Role::UnitPrincipal | Role::UnitContact | Role::CompetentDepartmentOfficer => testkit::caller(role, None, unit),
        Role::Operator => testkit::caller(role, None, None),
        Role::ProvinceOfficeAdmin
        | Role::CountyOfficeAdmin
        | Role::DeskOfficer
        | Role::Inspector
        | Role::CommitteeChair
        | Role::PublicityOfficer
        | Role::Auditor => testkit::caller(role, area, None),
    }
}

/// The way to services that all lie at one address, each under its own path.
pub fn api_at(base: &str) -> Api {
    service_kit::install_crypto();
    let at = |room: &str| format!("{base}/{room}");
    let services = ServicesSection {
        registry: at("registry"),
        tasks: at("tasks"),
        deadlines: at("deadlines"),
        notifications: at("notifications"),
        reporting: at("reporting"),
        publication: at("publication"),
        exchange: at("exchange"),
        documents: at("documents"),
    };
    let outbound = OutboundSection {
        allowed_hosts: Vec::new(),
        allow_private_addresses: false,
        connect_timeout_seconds: 2,
        timeout_seconds: 5,
    };
    Api::new(&services, &outbound).unwrap()
}

impl Stage {
    pub async fn new() -> Self {
        let server = MockServer::start().await;
        let state = AppState {
            api: api_at(&server.uri()),
            sealer: Arc::new(Sealer::new("a secret of the tests, long enough", true).unwrap()),
            permissions: Arc::new(Permissions::load().unwrap()),
            catalogue: Catalogue::load(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            trusted_proxies: [Network::try_from(PROXY.to_owned()).unwrap()].into(),
            portal: "https://portal.example".into(),
        };
        Self { server, console: routes(state) }
    }

    /// A stage on which every GET of the samples is answered.
    pub async fn with_samples() -> Self {
        let stage = Self::new().await;
        for (address, answer) in crate::samples::all() {
            stage.answers("GET", &address, 200, answer).await;
        }
        stage
    }

    /// Makes a service answer. Later ones do not override: mount refusals first.
    pub async fn answers(&self, verb: &str, address: &str, status: u16, body: Value) {
        let template = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method(verb)).and(path(address)).respond_with(template).with_priority(5).mount(&self.server).await;
    }

    /// The same, before whatever answers otherwise.
    pub async fn instead(&self, verb: &str, address: &str, status: u16, body: Value) {
        let template = ResponseTemplate::new(status).set_body_json(body);
        Mock::given(method(verb)).and(path(address)).respond_with(template).with_priority(1).mount(&self.server).await;
    }

    /// Signs in; the cookie.
    pub async fn sign_in(&self, caller: &Caller) -> String {
        let body = json!({
            "token": testkit::token(caller), "expires_at": "2099-01-01T00:00:00Z", "caller": caller,
        });
        let login = caller.account_id.to_string();
        Mock::given(method("POST"))
            .and(path("/registry/v1/sessions"))
            .and(body_partial_json(json!({ "login": login })))
            .respond_with(ResponseTemplate::new(201).set_body_json(body))
            .mount(&self.server)
            .await;
        let answer =
            self.post("/sign-in", "", &format!("login={login}&password=b")).await.expect(StatusCode::SEE_OTHER);
        answer.headers.get(SET_COOKIE).unwrap().to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    pub async fn get(&self, address: &str, cookie: &str) -> Answer {
        self.send(Request::get(address).header(COOKIE, cookie).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, address: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::post(address)
            .header(COOKIE, cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// Posts fields and one file as a browser does.
    pub async fn upload(
        &self,
        address: &str,
        cookie: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &[u8]),
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let (field, name, content) = file;
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: image/jpeg\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n--XX--\r\n");
        let request = Request::post(address)
            .header(COOKIE, cookie)
            .header(CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().insert(HOST, "console.example".parse().unwrap());
        let response = self.console.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// The requests that a service got.
    pub async fn got(&self, verb: &str, address: &str) -> Vec<wiremock::Request> {
        let all = self.server.received_requests().await.unwrap();
        all.into_iter().filter(|request| request.method.as_str() == verb && request.url.path() == address).collect()
    }

    /// The one request that a service got.
    #[track_caller]
    pub fn only(mut got: Vec<wiremock::Request>) -> wiremock::Request {
        assert_eq!(got.len(), 1, "{got:?}");
        got.pop().unwrap()
    }
}

/// A header of a request to a service.
pub fn header<'a>(request: &'a wiremock::Request, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// The JSON body of a request to a service.
pub fn body(request: &wiremock::Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// A refusal as services write it.
pub fn problem(slug: &str, status: u16, detail: &str, errors: &Value) -> Value {
    json!({
        "type": format!("https://dudao.example/problems/{slug}"), "title": "填写内容有误", "status": status,
        "detail": detail, "errors": errors,
    })
}
