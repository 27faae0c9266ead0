//! The page of verification in a real browser: a file is checked there and goes nowhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::tasks::{DocumentIssued, DocumentVoided};
use documents::PaperState;
use http::StatusCode;
use serde_json::{Value, json};

use crate::register::{circular, code, document, entry, statement, voided};
use crate::support::App;

/// Longest wait for something to show.
const LIMIT: Duration = Duration::from_mins(1);

/// A headless Chromium over its debugging protocol, spoken on a pair of pipes: no port, no further program.
struct Chromium {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    calls: u64,
    folder: PathBuf,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Chromium {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("dudao-chromium-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        // The browser reads commands from descriptor 3 and writes answers to 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh", "chromium"])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"])
            .args(["--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", folder.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser = Self { child, to, from, session: None, calls: 0, folder };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        browser
    }

    /// A command and its answer; what the browser tells in between is passed over.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        self.to.flush().unwrap();
        loop {
            let mut bytes = Vec::new();
            let read = self.from.read_until(0, &mut bytes).unwrap();
            assert!(read > 0, "Chromium ended; is it installed? run deploy/dev/install.sh");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            if answer["id"] == self.calls {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    fn wait_for(&mut self, expression: &str) {
        let began = Instant::now();
        while self.evaluate(expression) != true {
            assert!(began.elapsed() < LIMIT, "not within {LIMIT:?}: {expression}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn open(&mut self, address: &str, width: u32) {
        let size = json!({"width": width, "height": 1200, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        self.call("Page.navigate", &json!({"url": address}));
        self.wait_for(&format!("document.readyState === 'complete' && location.href === '{address}'"));
    }

    /// Chooses a file in the page's field.
    fn choose(&mut self, file: &Path) {
        let root = self.call("DOM.getDocument", &json!({}))["root"]["nodeId"].clone();
        let node = self.call("DOM.querySelector", &json!({"nodeId": root, "selector": "#file"}))["nodeId"].clone();
        self.call("DOM.setFileInputFiles", &json!({"nodeId": node, "files": [file]}));
    }

    /// Drops a file onto the page's field.
    fn drop_on(&mut self, selector: &str, file: &Path) {
        let place = self.evaluate(&format!(
            "(() => {{ const field = document.querySelector('{selector}'); field.scrollIntoView(); \
             const box = field.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
            self.call("Input.dispatchDragEvent", &json!({"type": kind, "x": place[0], "y": place[1], "data": data}));
        }
    }

    /// The answer that the page shows about the file of a name.
    fn answer(&mut self, file: &str) -> String {
        let shown = "[...document.querySelectorAll('[data-answer]')].filter((text) => !text.hidden)";
        self.wait_for(&format!(
            "document.getElementById('name').textContent === '{file}' && {shown}.length === 1 \
             && {shown}[0].dataset.answer !== 'working'"
        ));
        self.evaluate(&format!("{shown}[0].dataset.answer")).as_str().unwrap().to_owned()
    }

    /// A picture of the whole page for people, in the target folder.
    fn picture(&mut self, name: &str) {
        let asked = json!({"format": "png", "captureBeyondViewport": true});
        let data = self.call("Page.captureScreenshot", &asked)["data"].clone();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verify-{name}.png"));
        std::fs::write(file, STANDARD.decode(data.as_str().unwrap()).unwrap()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_checked_in_the_browser_and_never_leaves_it() {
    let app = App::new().await;
    let (first, second) = (document(1), document(2));
    let made = b"%PDF-1.7 as the platform made it".as_slice();
    app.enter(&DocumentIssued(entry(first.clone()))).await;
    app.enter(&DocumentIssued(entry(second.clone()))).await;
    for (document, state) in [(&first, PaperState::Genuine), (&second, PaperState::Genuine)] {
        app.hand_in(&statement(document, "pdf", state, made)).await.expect(StatusCode::NO_CONTENT);
    }
    app.enter(&DocumentVoided(voided(&entry(second.clone()), Some(first.clone())))).await;
    let (open, _) = circular();
    app.enter(&DocumentIssued(open.clone())).await;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = app.router.clone();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let browsing = tokio::task::spawn_blocking(move || {
        let mut browser = Chromium::start();
        let files = browser.folder.join("files");
        std::fs::create_dir_all(&files).unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = files.join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let right = file("right.pdf", made);
        let changed = file("changed.pdf", &[made, b" "].concat());
        let page = format!("{base}/verify/{}", code(&first));
        browser.open(&page, 1280);
        browser.picture("genuine-desktop");
        browser.drop_on("#drop", &right);
        assert_eq!(browser.answer("right.pdf"), "matches");
        browser.picture("matches-desktop");
        browser.drop_on("#drop", &changed);
        assert_eq!(browser.answer("changed.pdf"), "differs");
        // A file that misses the field is looked at all the same, and does not take the place of the page.
        browser.drop_on("h1", &right);
        assert_eq!(browser.answer("right.pdf"), "matches");
        browser.choose(&changed);
        assert_eq!(browser.answer("changed.pdf"), "differs");
        let asked =
            browser.evaluate("performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)");
        let mut asked: Vec<&str> = asked.as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
        asked.retain(|path| *path != "/favicon.ico");
        asked.sort_unstable();
        assert_eq!(asked, ["/assets/portal.css", "/assets/verify.js"], "the file went nowhere");
        assert_eq!(browser.evaluate("location.href"), page.as_str());

        browser.open(&format!("{page}?lang=en"), 390);
        browser.choose(&changed);
        assert_eq!(browser.answer("changed.pdf"), "differs");
        browser.picture("differs-phone-en");
        let page = format!("{base}/verify/{}", code(&second));
        browser.open(&page, 390);
        browser.drop_on("#drop", &right);
        assert_eq!(browser.answer("right.pdf"), "matches");
        let words = browser.evaluate("document.querySelector('[data-answer=matches]').textContent");
        assert!(words.as_str().unwrap().contains("已被替代"), "{words}");
        browser.picture("replaced-phone");
        for width in [1280, 390] {
            browser.open(&format!("{base}/verify"), width);
            browser.picture(&format!("form-{width}"));
            browser.open(&format!("{base}/documents"), width);
            browser.picture(&format!("documents-{width}"));
            browser.open(&format!("{base}/verify/{}", code(&open.document)), width);
            browser.picture(&format!("text-{width}"));
            assert_eq!(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
            browser.open(&format!("{base}/verify/0000-0000-0000?lang=zh-Hant"), width);
            browser.picture(&format!("unknown-{width}"));
            // Nothing is wider than the screen.
            assert_eq!(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
        }
    });
    browsing.await.unwrap();
    server.abort();
}
