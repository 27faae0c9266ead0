//! The workbook read back equals the rows.

use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};
use contracts::deadlines::ItemState;
use http::StatusCode;
use jiff::civil::date;

use crate::support::{App, item, office, rectification};

fn workbook(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

fn shown(cell: Option<&Data>) -> String {
    match cell {
        None | Some(Data::Empty) => String::new(),
        Some(Data::DateTime(moment)) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        Some(other) => other.to_string(),
    }
}

#[tokio::test]
async fn the_workbook_read_back_equals_the_rows() {
    let app = App::new().await;
    app.database.set_clock("2026-10-01T02:00:00Z".parse().unwrap()).await;
    let mut first = item("甲", 1, ItemState::InProgress, date(2026, 9, 22));
    first.description = "=HYPERLINK(\"http://evil.example\",\"点我\")".to_owned();
    first.basis = "-1+1\n第二行 <b>&\"'".to_owned();
    first.demand = "@SUM(A1)".to_owned();
    first.category = "+办学条件".to_owned();
    first.late = true;
    let items = vec![first, item("甲", 2, ItemState::Closed, date(2026, 9, 22))];
    app.feed(&rectification("甲", Some("460100"), 1, items)).await;
    app.feed(&rectification("乙", None, 1, vec![item("乙", 1, ItemState::Verified, date(2026, 12, 31))])).await;

    let answer = app.get("/v1/ledger.xlsx", &office()).await.expect(StatusCode::OK);
    assert!(answer.headers["content-disposition"].to_str().unwrap().contains("ledger-20261001.xlsx"));
    let mut book = workbook(answer.bytes);
    assert_eq!(book.sheet_names(), ["整改台账", "说明"]);
    let sheet = book.worksheet_range("整改台账").unwrap();
    let titles: Vec<String> = sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(titles, reporting::COLUMNS.map(|(title, _)| title.to_owned()));
    assert!(book.worksheet_formula("整改台账").unwrap().is_empty(), "no cell may be a formula");

    let page = app.get("/v1/ledger", &office()).await.expect(StatusCode::OK);
    let rows = page.json["items"].as_array().unwrap();
    assert_eq!(sheet.height(), rows.len() + 1);
    let column = |title: &str| titles.iter().position(|found| found == title).unwrap();
    for (n, row) in rows.iter().enumerate() {
        let line = u32::try_from(n + 1).unwrap();
        let cell = |title: &str| shown(sheet.get_value((line, u32::try_from(column(title)).unwrap())));
        assert_eq!(cell("序号"), line.to_string());
        for (title, member) in [
            ("问题编号", "item_no"),
            ("督导项目", "case_title"),
            ("督导类型", "supervision_kind_zh"),
            ("督导时间", "visited_on"),
            ("市县", "county_name"),
            ("学校/单位", "unit_name"),
            ("学校标识码", "unit_code"),
            ("问题描述", "description"),
            ("问题类别", "category"),
            ("严重程度", "severity_zh"),
            ("依据标准", "basis"),
            ("整改要求", "demand"),
            ("责任单位", "responsible_unit_name"),
            ("主管部门", "competent_unit_name"),
            ("下达文号", "letter_no"),
            ("下达日期", "letter_issued_on"),
            ("整改时限", "due_on"),
            ("核查人", "verified_by"),
            ("督办单号", "urging_order_no"),
        ] {
            assert_eq!(cell(title), row[member].as_str().unwrap_or_default(), "{title}");
        }
        // Instants are shown as the local day.
        for (title, member) in [("完成日期", "reported_at"), ("核查日期", "verified_at"), ("销号日期", "closed_at")]
        {
            let day = row[member].as_str().map(|at| at.parse::<jiff::Timestamp>().unwrap());
            assert_eq!(cell(title), day.map(|at| domain::local_time::local_date(at).to_string()).unwrap_or_default());
        }
        let progress = cell("整改情况");
        assert!(progress.starts_with(row["state_zh"].as_str().unwrap()), "{progress}");
        assert_eq!(progress.contains("逾期"), row["late"].as_bool().unwrap(), "{progress}");
    }
    assert!(rows.iter().any(|row| row["late"] == true) && rows.iter().any(|row| row["late"] == false));

    let notes = book.worksheet_range("说明").unwrap();
    let note = |title: &str| {
        let row = notes.rows().find(|row| row[0] == *title);
        row.unwrap_or_else(|| panic!("{title} is missing"))[1].to_string()
    };
    assert!(note("统计时点").starts_with("2026年10月1日10时00分"), "{}", note("统计时点"));
    assert_eq!(note("件数"), "3");
    assert_eq!(note("导出人"), office().display_name);
    assert!(note("逾期").contains("期限已届满"));
}

#[tokio::test]
async fn the_workbook_obeys_filter_and_scope() {
    let app = App::new().await;
    for n in 0..600 {
        let name = format!("校{n}");
        let code = if n % 3 == 0 { "460100" } else { "460200" };
        app.feed(&rectification(&name, Some(code), 1, vec![item(&name, 1, ItemState::InProgress, date(2099, 1, 5))]))
            .await;
    }
    let answer = app.get("/v1/ledger.xlsx?county=460100", &office()).await.expect(StatusCode::OK);
    let mut book = workbook(answer.bytes);
    assert_eq!(book.worksheet_range("整改台账").unwrap().height(), 201);
    let sanya = testkit::caller(access::Role::CountyOfficeAdmin, Some(crate::support::county("460200")), None);
    let answer = app.get("/v1/ledger.xlsx?state=open", &sanya).await.expect(StatusCode::OK);
    assert_eq!(workbook(answer.bytes).worksheet_range("整改台账").unwrap().height(), 401);
}
