//! The simulator itself: what it refuses, and that it forgets nothing when it is killed.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use exchange::national::compose;
use exchange::signature::{self, content_digest, sign};
use http::{HeaderMap, HeaderValue};
use messaging::JournalKey;
use serde_json::{Value, json};

use crate::facts::CaseFacts;
use crate::national_platform::{Platform, read_keys};
use crate::support::{
    Replica, Signing, apply, assert_once_and_in_order, database, kit, section, serve, wait_for_accepted,
};

const LISTEN: &str = "EXCHANGE_TEST_LISTEN";
const FOLDER: &str = "EXCHANGE_TEST_FOLDER";

/// The simulator as a process of its own: this test program, told to be nothing else.
struct Process(Child);

impl Process {
    fn start(listen: SocketAddr, folder: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "partner::simulator_process", "--ignored", "--quiet"])
            .env(LISTEN, listen.to_string())
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "not a test: the process that the next test starts and kills"]
fn simulator_process() {
    let (Ok(listen), Ok(folder)) = (std::env::var(LISTEN), std::env::var(FOLDER)) else { return };
    let folder = Path::new(&folder);
    let platform = Platform::open(&folder.join("platform"), read_keys(&folder.join("keys")).unwrap()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        axum::serve(listener, platform.router()).await.unwrap();
    });
}

async fn get(kit: &service_kit::Kit, address: SocketAddr, path: &str) -> Option<Value> {
    let answer = kit.http.get(&format!("http://{address}{path}")).unwrap().send().await.ok()?;
    answer.json().await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platform_is_killed_in_the_middle_and_everything_is_there_once() {
    let (signing, database) = (Signing::new(), database().await);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let section = section(address, &signing.key_file());
    let mut messages = 0;
    for number in 1..=40 {
        let case = CaseFacts::new(number, 2);
        apply(&database, &case.envelopes()).await;
        messages += case.messages();
    }
    let mut process = Process::start(address, &signing.folder);
    let replica = Replica::start(database.handle(), &section).await;
    let received = |at_least: usize| {
        let kit = replica.kit.clone();
        async move {
            let count = get(&kit, address, "/v1/received").await.map(|all| all["messages"].as_array().unwrap().len());
            count.is_some_and(|count| count >= at_least)
        }
    };
    for part in 1..4 {
        testkit::wait_until("a part has arrived", || received(messages * part / 4)).await;
        process.kill();
        process = Process::start(address, &signing.folder);
    }
    wait_for_accepted(&database, messages).await;
    process.kill();
    replica.stop().await;
    // A line that was being written when it died again is no message.
    let file = signing.folder.join("platform/received.jsonl");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("{\"position\":");
    std::fs::write(&file, text).unwrap();
    assert_once_and_in_order(&signing.platform().received(), messages);
}

struct Request {
    headers: HeaderMap,
    body: String,
}

/// What the service would send for the message `number` of a case, with a change before signing.
fn request(
    case: &CaseFacts,
    number: usize,
    key: &JournalKey,
    address: SocketAddr,
    change: impl Fn(&mut Value),
) -> Request {
    let message = compose(&case.envelopes()[number - 1], "460000", &crate::support::papers()).unwrap().unwrap().message;
    let mut body = serde_json::to_value(&message).unwrap();
    change(&mut body);
    let text = body.to_string();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json".to_owned()),
        ("content-digest", content_digest(text.as_bytes())),
        ("idempotency-key", message.message_id.to_string()),
        ("dudao-case", message.case.case_id.to_string()),
        ("dudao-sequence", body["case"]["sequence"].to_string()),
    ] {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    let address = format!("http://{address}/v1/messages");
    let parts = signature::Request { method: "POST", target_uri: &address, headers: &headers };
    let made = sign(key, parts, jiff::Timestamp::now().as_second()).unwrap();
    headers.insert("signature-input", HeaderValue::from_str(&made.input).unwrap());
    headers.insert("signature", HeaderValue::from_str(&made.signature).unwrap());
    Request { headers, body: text }
}

#[tokio::test]
async fn the_platform_believes_nothing_that_is_changed_unsigned_or_out_of_order() {
    let signing = Signing::new();
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    let database = database().await;
    let kit = kit(database.handle()).await;
    let case = CaseFacts::new(1, 1);
    let send = async |request: Request| {
        let post = kit.http.post(&format!("http://{address}/v1/messages")).unwrap();
        let answer = post.headers(request.headers).body(request.body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let good = |number| request(&case, number, &signing.key, address, |_| {});

    let mut tampered = good(1);
    tampered.body = tampered.body.replace("总体规范", "严重违规");
    assert_eq!(send(tampered).await.1["code"], "wrong_digest");
    let mut hidden = good(1);
    hidden.body = hidden.body.replace("总体规范", "严重违规");
    hidden.headers.insert("content-digest", HeaderValue::from_str(&content_digest(hidden.body.as_bytes())).unwrap());
    let (status, body) = send(hidden).await;
    assert_eq!((status, &body["code"]), (401, &json!("signature")));
    let stranger = JournalKey::from_bytes(JournalKey::generate().unwrap().as_bytes()).unwrap();
    assert_eq!(send(request(&case, 1, &stranger, address, |_| {})).await.0, 401);
    let mut unsigned = good(1);
    unsigned.headers.remove("signature");
    assert_eq!(send(unsigned).await.0, 400);

    let (status, body) =
        send(request(&case, 1, &signing.key, address, |body| body["unit"]["code"] = Value::Null)).await;
    assert_eq!((status, &body["code"], &body["fields"][0]["field"]), (422, &json!("invalid"), &json!("/unit/code")));
    let (status, body) = send(request(&case, 1, &signing.key, address, |body| body["more"] = json!(1))).await;
    assert_eq!((status, &body["code"]), (422, &json!("invalid")));
    let (status, body) = send(good(2)).await;
    assert_eq!((status, &body["code"]), (422, &json!("out_of_order")));
    assert!(platform.received().is_empty());

    let (status, receipt) = send(good(1)).await;
    assert_eq!(status, 201);
    assert_eq!(send(good(1)).await, (200, receipt.clone()));
    let other = request(&case, 1, &signing.key, address, |body| body["unit"]["name"] = json!("另一所学校"));
    assert_eq!(send(other).await.0, 409);
    assert_eq!(platform.received().len(), 1);
    let again = Platform::open(&signing.folder.join("platform"), vec![signing.key.public()]).unwrap();
    assert_eq!(again.received()[0].receipt_no, receipt["receipt_no"]);
}
