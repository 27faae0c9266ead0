//! A registry of one's own for every test.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::connect_info::MockConnectInfo;
use http::{Method, StatusCode};
use jiff::Timestamp;
use registry::{
    AppState, BootstrapSection, FileLimits, MIGRATOR, Network, OidcSection, Provider, assembled, first_start,
};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use service_kit::clock::{Clock as _, ManualClock, SystemClock};
use service_kit::config::{HttpSection, OutboundSection, SecretFile};
use service_kit::http_client::client;
use service_kit::ids::SystemIds;
use service_kit::telemetry::Metrics;
use service_kit::{Kit, files::Files, routes_of};
use testkit::{Answer, Call};
use uuid::Uuid;

/// Password of the account of the installation in tests.
pub(crate) const PASSWORD: &str = "first start of the test";
/// The address that requests come from.
pub(crate) const PEER: &str = "192.0.2.7";
/// The proxy that is trusted.
pub(crate) const PROXY: &str = "192.0.2.1";

pub(crate) struct Fixture {
    pub database: testkit::Database,
    pub clock: Arc<ManualClock>,
    pub router: Router,
    pub state: AppState,
    pub bootstrap: BootstrapSection,
    pub token: String,
    folder: std::path::PathBuf,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(FileLimits::default(), PEER).await
    }

    pub(crate) async fn with(limits: FileLimits, peer: &str) -> Self {
        Self::made(limits, peer, None).await
    }

    /// A registry with a sign-on.
    pub(crate) async fn with_sign_on(section: &OidcSection) -> Self {
        Self::made(FileLimits::default(), PEER, Some(section)).await
    }

    async fn made(limits: FileLimits, peer: &str, sign_on: Option<&OidcSection>) -> Self {
        service_kit::install_crypto();
        let database = testkit::Database::new(&[&messaging::MIGRATOR, &MIGRATOR]).await;
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let folder = std::env::temp_dir().join(format!("dudao-registry-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("password"), PASSWORD).unwrap();
        let bootstrap = BootstrapSection {
            login: "operator".to_owned(),
            display_name: "系统初始管理员".to_owned(),
            password_file: SecretFile::read(&folder.join("password")).unwrap(),
            province_code: "460000".to_owned(),
            province_name: "海南省".to_owned(),
        };
        let proxy = Network::try_from(PROXY.to_owned()).unwrap();
        let mut state = AppState::try_new(
            database.handle(),
            clock.clone(),
            Arc::new(SystemIds),
            testkit::issuer(),
            limits,
            [proxy],
        )
        .unwrap();
        state.sign_on = sign_on.map(|section| Arc::new(Provider::try_new(section).unwrap()));
        first_start(&state, &bootstrap).await.unwrap();
        let outbound = OutboundSection {
            allowed_hosts: Vec::new(),
            allow_private_addresses: false,
            connect_timeout_seconds: 1,
            timeout_seconds: 1,
        };
        let kit = Kit {
            name: "registry",
            database: database.handle(),
            broker: testkit::broker().await,
            access: testkit::access(),
            http: client(&(&outbound).into()).unwrap(),
            clock: clock.clone(),
            ids: Arc::new(SystemIds),
            files: Files::in_folder(&folder).unwrap(),
            metrics: Metrics::new("registry").unwrap(),
        };
        let http = HttpSection {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            operations_listen: None,
            max_body_bytes: 16 * 1024 * 1024,
            request_timeout_seconds: 120,
            drain_seconds: 1,
        };
        let mut parts = assembled(testkit::access(), state.clone());
        let peer: IpAddr = peer.parse().unwrap();
        let router = routes_of(&mut parts, &kit, &http, [testkit::journal_key().public()].into())
            .layer(MockConnectInfo(SocketAddr::from((peer, 40000))));
        let mut fixture = Self { database, clock, router, state, bootstrap, token: String::new(), folder };
        fixture.token = fixture.signed_in("operator", PASSWORD).await;
        fixture
    }

    /// Signs in and gives the token.
    pub(crate) async fn signed_in(&self, login: &str, password: &str) -> String {
        let answer = self.sign_in(login, password).await.expect(StatusCode::CREATED);
        answer.json["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn sign_in(&self, login: &str, password: &str) -> Answer {
        Call::new(Method::POST, "/v1/sessions")
            .json(&json!({"login": login, "password": password}))
            .send(&self.router)
            .await
    }

    /// A GET as the account of the installation.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.get_as(&self.token, path).await.expect(StatusCode::OK).json
    }

    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        Call::get(path).header("authorization", &format!("Bearer {token}")).send(&self.router).await
    }

    pub(crate) async fn post_as(&self, token: &str, path: &str) -> Answer {
        Call::post(path, &json!({})).header("authorization", &format!("Bearer {token}")).send(&self.router).await
    }

    /// Imports a file as the account of the installation.
    pub(crate) async fn import(&self, kind: &str, name: &str, bytes: &[u8]) -> Answer {
        self.import_as(&self.token, &Uuid::new_v4().to_string(), kind, name, bytes).await
    }

    pub(crate) async fn import_as(&self, token: &str, key: &str, kind: &str, name: &str, bytes: &[u8]) -> Answer {
        let mut body = Vec::new();
        body.extend_from_slice(
            format!("--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\n{kind}\r\n--x\r\n").as_bytes(),
        );
        body.extend_from_slice(
            format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--x--\r\n");
        Call::new(Method::POST, "/v1/imports")
            .body("multipart/form-data; boundary=x", body)
            .header("idempotency-key", key)
            .header("authorization", &format!("Bearer {token}"))
            .send(&self.router)
            .await
    }

    /// Imports and gives the report.
    pub(crate) async fn imported(&self, kind: &str, name: &str, bytes: &[u8]) -> Value {
        self.import(kind, name, bytes).await.expect(StatusCode::CREATED).json
    }

    /// A small province: two counties, one with a district; bureaus; three schools; two inspectors; some accounts.
    pub(crate) async fn with_small_province(self) -> Self {
        let report = self.imported("province", "small.xlsx", &small_province()).await;
        assert_eq!(report["rejected"], json!([]));
        let report = self.imported("accounts", "accounts.csv", ACCOUNTS.as_bytes()).await;
        assert_eq!(report["rejected"], json!([]));
        self
    }

    /// Lets an account set a password and signs it in.
    pub(crate) async fn activated(&self, login: &str) -> String {
        let account = self.account(login).await;
        let path = format!("/v1/accounts/{}/activation", account["account_id"].as_str().unwrap());
        let code = self.post_as(&self.token, &path).await.expect(StatusCode::CREATED).json["code"].clone();
        let password = "Nan-Hai-Zhi-Bin-7";
        self.activate(login, code.as_str().unwrap(), password).await.expect(StatusCode::NO_CONTENT);
        self.signed_in(login, password).await
    }

    pub(crate) async fn activate(&self, login: &str, code: &str, password: &str) -> Answer {
        Call::new(Method::POST, "/v1/activations")
            .json(&json!({"login": login, "code": code, "password": password}))
            .send(&self.router)
            .await
    }

    pub(crate) async fn account(&self, login: &str) -> Value {
        let found = self.get(&format!("/v1/accounts?q={login}")).await;
        found["items"].as_array().unwrap().iter().find(|account| account["login"] == login).unwrap().clone()
    }

    pub(crate) async fn journalled(&self) -> usize {
        testkit::events(&self.database).await.len()
    }

    /// Machine time of the service.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) const ACCOUNTS: &str = "\u{feff}账号,显示名,角色,区划代码,单位,督学编号,邮箱,语言
admin.460100,海口市督导办管理员,county_office_admin,460100,office-460100,,admin@hainan.example,zh-CN
Principal.2146000001,海口市第一小学校长,unit_principal,460105,2146000001,,p1@hainan.example,zh-CN
edu.460100,海口市教育局督导室负责人,competent_department_officer,460100,edu-460100,,edu@hainan.example,zh-TW
inspector.1,督学0001,inspector,460100,,HN-0001,,en
auditor,审计人员,auditor、publicity_officer,460000,,,,
";

/// Sheets as texts; a cell that looks like a number of pupils or hours stays text, as codes do.
pub(crate) fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(*name).unwrap();
        for (row, cells) in (0_u32..).zip(*rows) {
            for (column, cell) in (0_u16..).zip(*cells) {
                if !cell.is_empty() {
                    sheet.write_string(row, column, *cell).unwrap();
                }
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

pub(crate) const AREAS: &[&[&str]] = &[
    &["代码", "名称", "上级代码", "层级", "生效日期"],
    // Children may stand above their parents.
    &["460105", "秀英区", "460100", "district", "2021-04-15"],
    &["460000", "海南省", "", "province", "2021-04-15"],
    &["460100", "海口市", "460000", "county_unit", "2021-04-15"],
    &["460200", "三亚市", "460000", "county_unit", "2021-04-15"],
];

pub(crate) const UNITS: &[&[&str]] = &[
    &["单位键", "名称", "类别", "所属区划代码", "统一社会信用代码", "主管单位键", "生效日期"],
    &[
        "office-460100",
        "海口市人民政府教育督导委员会办公室",
        "supervision_agency",
        "460100",
        "",
        "edu-460100",
        "2021-04-15",
    ],
    &["edu-460100", "海口市教育局", "education_bureau", "460100", "", "edu-460000", "2021-04-15"],
    &["edu-460200", "三亚市教育局", "education_bureau", "460200", "", "edu-460000", "2021-04-15"],
    &["edu-460000", "海南省教育厅", "education_bureau", "460000", "", "", "2021-04-15"],
];

pub(crate) const SCHOOLS: &[&[&str]] = &[
    &[
        "学校标识码",
        "名称",
        "学校类别",
        "所在区划代码",
        "举办者",
        "统一社会信用代码",
        "在校生数",
        "主管单位键",
        "生效日期",
    ],
    &["2146000001", "海口市第一小学", "小学", "460105", "公办", "", "1200", "edu-460100", "2021-04-15"],
    &["3146000002", "海口市第二中学", "初级中学", "460100", "民办", "", "900", "edu-460100", "2021-04-15"],
    &["2146000003", "三亚市第一小学", "小学", "460200", "公办", "", "", "edu-460200", "2021-04-15"],
];

pub(crate) const INSPECTORS: &[&[&str]] = &[
    &["督学编号", "姓名", "所属区划代码", "专兼职", "级别", "聘期起", "聘期止", "年度培训学时"],
    &["HN-0001", "督学0001", "460100", "专职", "市县级", "2024-09-01", "2027-08-31", "48"],
    &["HN-0002", "督学0002", "460200", "兼职", "市县级", "2024/9/1", "2027年8月31日", ""],
];

pub(crate) fn small_province() -> Vec<u8> {
    workbook(&[("行政区划", AREAS), ("部门", UNITS), ("学校", SCHOOLS), ("督学", INSPECTORS)])
}
