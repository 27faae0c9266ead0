//! Documents a second: warm, one after the other and in a batch, and what the process weighs meanwhile.
//!
//! Prints figures with their goals and appends them to `target/bench/results.jsonl`; asserts none of them. Needs no servers,
//! only the fonts of `deploy/dev/install.sh`. `DUDAO_BENCH_DOCUMENTS` says how many the batch has (default 10000).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark: figures for people"
)]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use documents::{Content, Frozen, Kind, PaperState};
use documents_room::config::{FontsSection, RenderingSection};
use documents_room::press::{Format, Press};
use domain::doc_number::DocNumber;
use serde_json::Value;
use testkit::bench::{Goal, Results};

fn main() {
    let mut results = Results::open("documents");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rendering = RenderingSection {
        templates: root.join("rulebook/documents"),
        portal: "https://dudao.example".to_owned(),
        signing_key_file: None,
        threads: 0,
        queue: 64,
    };
    let press = Press::load(&rendering, &FontsSection::in_folders(vec![root.join(".tools/fonts")])).unwrap();
    results.add("documents-rss-before-first", resident(), "MiB", Goal::AtMost(40.0));
    let started = Instant::now();
    press.render(numbered(&root, Kind::UrgingOrder, 1).text().as_bytes(), Format::Pdf, PaperState::Genuine).unwrap();
    let first = started.elapsed().as_secs_f64() * 1e3;
    results.add(
        "documents-first-pdf",
        first,
        "ms",
        Goal::None("fonts are found and read, the page's source evaluated"),
    );

    let order = sample(&root, Kind::UrgingOrder);
    let started = Instant::now();
    let bytes: usize = (0..100_000).map(|_| order.clone().freeze().text().len()).sum();
    let each = started.elapsed().as_secs_f64() * 1e6 / 1e5;
    results.add("freeze-urging-order", each, "µs", Goal::None("canonical bytes and SHA-256, as a storm does it"));
    assert!(bytes > 0);

    // Warm: each a document that was never set before.
    for (name, kind) in [
        ("closing-approval", Kind::ClosingApproval),
        ("rectification-notice", Kind::RectificationNotice),
        ("interview-notice", Kind::InterviewNotice),
        ("urging-order", Kind::UrgingOrder),
        ("opinion-letter", Kind::OpinionLetter),
    ] {
        for serial in 1..=20 {
            set(&press, &numbered(&root, kind, serial));
        }
        let contents: Vec<Frozen> = (100..400).map(|serial| numbered(&root, kind, serial)).collect();
        let mut times: Vec<f64> = contents
            .iter()
            .map(|frozen| {
                let started = Instant::now();
                set(&press, frozen);
                started.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        results.add(&format!("pdf-warm-{name}"), mean, "ms", Goal::AtMost(15.0));
        results.add(&format!("pdf-warm-{name}-p99"), times[times.len() * 99 / 100], "ms", Goal::None("the slow ones"));
    }

    let documents: u32 = std::env::var("DUDAO_BENCH_DOCUMENTS").map_or(10_000, |text| text.trim().parse().unwrap());
    let next = AtomicUsize::new(0);
    let kinds = [Kind::UrgingOrder, Kind::RectificationNotice, Kind::InterviewNotice, Kind::ClosingApproval];
    let samples: Vec<Content> = kinds.iter().map(|kind| sample(&root, *kind)).collect();
    results.add("batch-rss-before", resident(), "MiB", Goal::None("resident before the batch"));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..rendering.workers() {
            scope.spawn(|| {
                loop {
                    let serial = u32::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                    if serial >= documents {
                        break;
                    }
                    set(&press, &varied(&samples[serial as usize % samples.len()], serial + 1000));
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    results.add("batch-documents-per-second", f64::from(documents) / seconds, "documents/s", Goal::None("all cores"));
    results.add("batch-rss-after", resident(), "MiB", Goal::AtMost(256.0));
    results.print();
}

fn set(press: &Press, frozen: &Frozen) {
    press.render(frozen.text().as_bytes(), Format::Pdf, PaperState::Genuine).unwrap();
}

fn sample(root: &Path, kind: Kind) -> Content {
    let file = root.join(format!("crates/documents/samples/{}.json", kind.as_str()));
    Content::from_json(&std::fs::read(file).unwrap()).unwrap()
}

fn number(serial: u32) -> DocNumber {
    DocNumber::try_new("琼教督委", Some("督"), 2026, serial).unwrap()
}

/// The sample with another number and other words in every free text, so that nothing of it was set before.
fn numbered(root: &Path, kind: Kind, serial: u32) -> Frozen {
    varied(&sample(root, kind), serial)
}

fn varied(sample: &Content, serial: u32) -> Frozen {
    let mut value: Value = serde_json::from_str(sample.clone().freeze().text()).unwrap();
    vary(&mut value, serial);
    let mut content = Content::from_json(value.to_string().as_bytes()).unwrap();
    content.head.doc_no = number(serial);
    content.freeze()
}

fn vary(value: &mut Value, serial: u32) {
    const FREE: [&str; 12] = [
        "problem",
        "demand",
        "subject",
        "evaluation",
        "facts",
        "reason",
        "content",
        "rectified",
        "advice",
        "basis",
        "opinion",
        "place",
    ];
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if let (true, Value::String(text)) = (FREE.contains(&name.as_str()), &mut *value) {
                    text.insert_str(0, &format!("第{serial}次"));
                }
                vary(value, serial);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| vary(value, serial)),
        _ => {}
    }
}

/// Resident memory of this process.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
}
