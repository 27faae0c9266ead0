//! Imports: every row accounted for, nothing twice, nothing trusted.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use contracts::registry::{AccountRecorded, AreaRecorded, InspectorRecorded, UnitRecorded};
use http::StatusCode;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use registry::FileLimits;
use serde_json::{Value, json};
use testkit::events_of;
use tests::province::Province;
use zip::write::SimpleFileOptions;

use crate::fixture::{AREAS, Fixture, INSPECTORS, PEER, SCHOOLS, UNITS, small_province, workbook};

fn figures(report: &Value) -> [u64; 5] {
    ["rows", "created", "changed", "unchanged", "rejected_rows"].map(|name| report[name].as_u64().unwrap())
}

/// (sheet, row, column) of each remark.
fn places(remarks: &Value) -> BTreeSet<(String, u64, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    remarks
        .as_array()
        .unwrap()
        .iter()
        .map(|remark| (text(&remark["sheet"]), remark["row"].as_u64().unwrap(), text(&remark["column"])))
        .collect()
}

#[tokio::test]
async fn a_generated_province_is_taken_over_whole_and_a_second_time_changes_nothing() {
    let fixture = Fixture::new().await;
    let province = Province::generate(7);
    let tables = province.tables();
    let files = [
        ("province", "units.xlsx", tables.units_xlsx().unwrap()),
        ("province", "inspectors.xlsx", tables.inspectors_xlsx().unwrap()),
        ("accounts", "accounts.csv", tables.accounts_csv().unwrap()),
    ];
    let wanted = [
        province.divisions.len() + province.units.len() + province.schools.len(),
        province.inspectors.len(),
        // The generator knows an account named like the one of the installation only by its division.
        province.accounts.len(),
    ];
    for ((kind, name, bytes), wanted) in files.iter().zip(wanted) {
        let report = fixture.imported(kind, name, bytes).await;
        assert_eq!(report["rejected"], json!([]), "{name}");
        assert_eq!(report["warnings"], json!([]), "{name}");
        let wanted = u64::try_from(wanted).unwrap();
        let [rows, created, changed, unchanged, _] = figures(&report);
        // The first start has recorded the province already; the file knows better since when it is in force.
        let known = u64::from(*name == "units.xlsx");
        assert_eq!([rows, created, changed, unchanged], [wanted, wanted - known, known, 0], "{name}");
    }
    let units = events_of::<UnitRecorded>(&fixture.database).await;
    assert_eq!(units.len(), province.units.len() + province.schools.len());
    assert_eq!(events_of::<AreaRecorded>(&fixture.database).await.len(), province.divisions.len() + 1);
    assert_eq!(events_of::<InspectorRecorded>(&fixture.database).await.len(), province.inspectors.len());
    assert_eq!(events_of::<AccountRecorded>(&fixture.database).await.len(), province.accounts.len() + 1);
    // Each school hangs in the tree and under its competent department.
    let school = province.schools.iter().find(|school| school.division != school.county).unwrap();
    let event = units.iter().find(|unit| unit.key == school.code.to_string()).unwrap();
    assert_eq!(event.area_path.len(), 3);
    assert_eq!(event.county_code.as_deref(), Some(school.county.to_string().as_str()));
    let competent = units.iter().find(|unit| Some(unit.unit_id) == event.competent_unit_id).unwrap();
    assert_eq!(competent.key, school.competent.as_str());

    let before = fixture.journalled().await;
    for (kind, name, bytes) in &files {
        let report = fixture.imported(kind, name, bytes).await;
        let [rows, created, changed, unchanged, rejected] = figures(&report);
        assert_eq!([created, changed, unchanged, rejected], [0, 0, rows, 0], "{name}");
    }
    assert_eq!(fixture.journalled().await, before, "an import without news must not be journalled");
}

#[tokio::test]
async fn every_spoilt_row_is_reported_where_it_stands_and_the_others_are_taken_over() {
    let fixture = Fixture::new().await;
    let (tables, faults) = Province::generate(11).tables_with_faults(3, 48);
    assert_eq!(faults.len(), 48);
    let files = [
        ("province", "units.xlsx", tables.units_xlsx().unwrap()),
        ("province", "inspectors.xlsx", tables.inspectors_xlsx().unwrap()),
        ("accounts", "accounts.csv", tables.accounts_csv().unwrap()),
    ];
    let (mut rejected, mut warned) = (BTreeSet::new(), BTreeSet::new());
    for (kind, name, bytes) in &files {
        let report = fixture.imported(kind, name, bytes).await;
        let here = places(&report["rejected"]);
        assert_eq!(
            u64::try_from(here.len()).unwrap(),
            report["rejected_rows"].as_u64().unwrap(),
            "one fault a row in {name}"
        );
        let [rows, created, changed, _, refused] = figures(&report);
        assert_eq!(rows - refused, created + changed);
        rejected.extend(here);
        warned.extend(places(&report["warnings"]));
        // The stored report is the one that was answered.
        let stored = fixture.get(&format!("/v1/imports/{}", report["import_id"].as_str().unwrap())).await;
        assert_eq!(stored, report);
        for remark in report["rejected"].as_array().unwrap() {
            let reason = |lang: &str| remark["reason"][lang].as_str().unwrap().to_owned();
            assert!(!reason("zh").is_ascii() && !reason("en").is_empty() && reason("zh") != reason("en"), "{remark}");
        }
    }
    let expected = |blocks: bool| -> BTreeSet<_> {
        faults
            .iter()
            .filter(|fault| fault.kind.blocks() == blocks)
            .map(|fault| (fault.sheet.to_owned(), u64::try_from(fault.row).unwrap(), fault.column.to_owned()))
            .collect()
    };
    assert_eq!(rejected, expected(true));
    assert_eq!(warned, expected(false));
    let list = fixture.get("/v1/imports?limit=2").await;
    assert_eq!(list["items"][0]["file_name"], "accounts.csv");
    let next = list["next"].as_str().unwrap();
    let rest = fixture.get(&format!("/v1/imports?limit=2&after={next}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["items"][0]["file_name"], "units.xlsx");
}

#[tokio::test]
async fn what_people_do_to_spreadsheets_is_forgiven() {
    let fixture = Fixture::new().await;
    let report = fixture
        .imported(
            "province",
            "messy.xlsx",
            &workbook(&[
                ("填表说明", &[&["请勿修改表头"]]),
                ("行政区划", AREAS),
                ("部门", UNITS),
                (
                    " 学校",
                    &[
                        &["海南省学校名录（2026）"],
                        &[],
                        &["备注", "名称 *", "所在\n区划代码", "学校标识码（必填）"],
                        &["", "海口市第一小学  ", "４６０１０５", " 2146000001"],
                        &[],
                        &["只有备注"],
                        &["", "三亚市第一小学", "460200", "2146000003"],
                    ],
                ),
            ]),
        )
        .await;
    assert_eq!(report["rejected"], json!([]));
    assert_eq!(report["ignored_sheets"], json!(["填表说明"]));
    assert_eq!(
        report["tables"][2],
        json!({"table": "schools", "rows": 2, "created": 2, "changed": 0, "unchanged": 0, "rejected_rows": 0})
    );
    let school = fixture.get("/v1/units/by-key/2146000001").await;
    assert_eq!(school["name"], "海口市第一小学");
    assert_eq!(school["area_code"], "460105");
    assert_eq!(school["county_name"], "海口市");
}

#[tokio::test]
async fn a_column_that_is_missing_leaves_what_the_register_has() {
    let fixture = Fixture::new().await.with_small_province().await;
    let before = fixture.get("/v1/units/by-key/3146000002").await;
    assert_eq!((&before["private"], &before["students"]), (&json!(true), &json!(900)));
    let narrow: &[&[&str]] =
        &[&["学校标识码", "名称", "所在区划代码"], &["3146000002", "海口市第二初级中学", "460100"]];
    let report = fixture.imported("province", "narrow.xlsx", &workbook(&[("学校", narrow)])).await;
    assert_eq!(figures(&report), [1, 0, 1, 0, 0]);
    let after = fixture.get("/v1/units/by-key/3146000002").await;
    assert_eq!(after["name"], "海口市第二初级中学");
    for same in ["private", "students", "competent_unit_id", "unit_id"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    // A column that is there but blank says that there is none.
    let blank: &[&[&str]] =
        &[&["学校标识码", "名称", "所在区划代码", "在校生数"], &["3146000002", "海口市第二初级中学", "460100", ""]];
    fixture.imported("province", "blank.xlsx", &workbook(&[("学校", blank)])).await;
    assert_eq!(fixture.get("/v1/units/by-key/3146000002").await["students"], Value::Null);
}

#[tokio::test]
async fn a_renamed_county_reaches_everything_below_it_and_the_old_name_stays_readable() {
    let fixture = Fixture::new().await.with_small_province().await;
    let before = fixture.journalled().await;
    let renamed: &[&[&str]] = &[AREAS[0], &["460100", "海口特区", "460000", "county_unit", "2026-09-01"]];
    let report = fixture.imported("province", "rename.xlsx", &workbook(&[("行政区划", renamed)])).await;
    assert_eq!(figures(&report), [1, 0, 1, 0, 0]);
    let events = testkit::events(&fixture.database).await.split_off(before);
    let units: Vec<UnitRecorded> =
        events.iter().filter(|event| event.is::<UnitRecorded>()).map(|event| event.read().unwrap()).collect();
    let keys: BTreeSet<&str> = units.iter().map(|unit| unit.key.as_str()).collect();
    assert_eq!(keys, ["2146000001", "3146000002", "edu-460100", "office-460100"].into());
    assert!(units.iter().all(|unit| unit.county_name.as_deref() == Some("海口特区") && unit.version == 2));
    assert_eq!(events.len(), 1 + units.len());
    let school = fixture.get("/v1/units/by-key/2146000001").await;
    assert_eq!(school["county_name"], "海口特区");
    let then = fixture.get("/v1/units/by-key/2146000001?on=2026-08-31").await;
    assert_eq!((&then["county_name"], &then["version"]), (&json!("海口市"), &json!(1)));
    let list = fixture.get("/v1/units?on=2026-08-31&area=460105").await;
    assert_eq!(list["items"][0]["county_name"], "海口市");
    assert_eq!(fixture.get("/v1/units?on=2021-04-14").await["items"], json!([]));
}

#[tokio::test]
async fn references_that_lead_nowhere_are_refused_all_the_way_down() {
    let fixture = Fixture::new().await.with_small_province().await;
    let units: &[&[&str]] = &[
        UNITS[0],
        &["edu-a", "甲", "department", "460100", "", "edu-b"],
        &["edu-b", "乙", "department", "460100", "", "edu-nowhere"],
        &["edu-c", "丙", "department", "460100", "", "edu-c"],
        &["edu-d", "丁", "department", "469099", "", ""],
    ];
    let areas: &[&[&str]] = &[
        AREAS[0],
        &["460000", "海南省", "", "province"],
        &["440000", "广东省", "", "province"],
        &["460301", "某区", "460300", "district"],
        &["460107", "琼山区", "460105", "district"],
        &["460200", "三亚市", "460100", "district"],
    ];
    let schools: &[&[&str]] = &[SCHOOLS[0], &["2146000009", "某小学", "小学", "460100", "公办", "", "1", "edu-a"]];
    let report = fixture
        .imported("province", "x.xlsx", &workbook(&[("行政区划", areas), ("部门", units), ("学校", schools)]))
        .await;
    let expected = [
        ("行政区划", 3, "代码"),
        ("行政区划", 4, "上级代码"),
        ("行政区划", 5, "上级代码"),
        ("行政区划", 6, "层级"),
        ("部门", 2, "主管单位键"),
        ("部门", 3, "主管单位键"),
        ("部门", 4, "主管单位键"),
        ("部门", 5, "所属区划代码"),
        ("学校", 2, "主管单位键"),
    ];
    let expected: BTreeSet<_> =
        expected.into_iter().map(|(sheet, row, column)| (sheet.to_owned(), row, column.to_owned())).collect();
    assert_eq!(places(&report["rejected"]), expected);
    assert_eq!(figures(&report), [10, 0, 0, 1, 9]);
}

#[tokio::test]
async fn accounts_get_no_rights_outside_of_their_area() {
    let fixture = Fixture::new().await.with_small_province().await;
    let accounts = "账号,显示名,角色,区划代码,单位,督学编号
operator,我,operator,460000,,
a,甲,headmaster,460000,,
b,乙,county_office_admin,460000,,
c,丙,province_office_admin,460100,,
d,丁,unit_contact,460100,edu-460000,
e,戊,unit_contact,460100,,
f,己,inspector,460100,,
g,庚,inspector,460100,,HN-9999
h,辛,desk_officer,460100,2146000099,
A,重,desk_officer,460100,,
i,壬,desk_officer;unit_contact,460100,2146000001,
";
    let report = fixture.imported("accounts", "accounts.csv", accounts.as_bytes()).await;
    let expected = [
        (2, "账号"),
        (3, "角色"),
        (4, "区划代码"),
        (5, "区划代码"),
        (6, "单位"),
        (7, "单位"),
        (8, "督学编号"),
        (9, "督学编号"),
        (10, "单位"),
        (11, "账号"),
    ];
    let expected: BTreeSet<_> =
        expected.into_iter().map(|(row, column)| ("accounts.csv".to_owned(), row, column.to_owned())).collect();
    assert_eq!(places(&report["rejected"]), expected);
    let account = fixture.account("i").await;
    let roles: Vec<&str> =
        account["grants"].as_array().unwrap().iter().map(|grant| grant["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["desk_officer", "unit_contact"]);
    assert!(account["grants"][0].get("unit_id").is_none() && account["grants"][1].get("area_id").is_none());
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_refuses_another_file() {
    let fixture = Fixture::new().await;
    let bytes = small_province();
    let (token, key) = (fixture.token.clone(), "8d0c6f0e-import");
    let first = fixture.import_as(&token, key, "province", "a.xlsx", &bytes).await.expect(StatusCode::CREATED);
    let location = first.headers["location"].to_str().unwrap().to_owned();
    let again = fixture.import_as(&token, key, "province", "a.xlsx", &bytes).await.expect(StatusCode::CREATED);
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(fixture.get(&location).await["import_id"], first.json["import_id"]);
    let other = fixture.import_as(&token, key, "province", "a.xlsx", &workbook(&[("学校", SCHOOLS)])).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(other.json["type"].as_str().unwrap().ends_with("idempotency-key-reused"));
}

#[tokio::test]
async fn files_that_are_none_are_refused_with_a_remedy() {
    let fixture = Fixture::with(FileLimits { file_bytes: 64 * 1024, rows: 20, ..FileLimits::default() }, PEER).await;
    let many: Vec<Vec<String>> =
        (0..40).map(|n| vec![format!("21460{n:05}"), "甲".to_owned(), "460000".to_owned()]).collect();
    let many: Vec<Vec<&str>> = many.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let mut many: Vec<&[&str]> = many.iter().map(Vec::as_slice).collect();
    many.insert(0, &["学校标识码", "名称", "所在区划代码"]);
    for (what, bytes, slug) in [
        ("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "rejected-file"),
        ("empty", Vec::new(), "rejected-file"),
        ("no sheet of ours", workbook(&[("说明", &[&["a"]])]), "rejected-file"),
        ("too many rows", workbook(&[("学校", &many)]), "rejected-file"),
        ("too large", vec![b'a'; 65 * 1024], "body-too-large"),
        ("bomb", bomb(40 * 1024 * 1024, false), "rejected-file"),
        ("bomb with a lying directory", bomb(40 * 1024 * 1024, true), "rejected-file"),
        ("other archive", zipped("hello.txt", b"hello"), "rejected-file"),
    ] {
        let answer = fixture.import("province", "x.xlsx", &bytes).await;
        assert!(answer.json["type"].as_str().is_some_and(|kind| kind.ends_with(slug)), "{what}: {}", answer.json);
        assert!(!answer.json["detail"].as_str().unwrap().is_empty());
    }
    let answer = fixture.import("people", "x.xlsx", b"x").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json["errors"][0]["pointer"], "/kind");
    assert_eq!(fixture.get("/v1/imports").await["items"], json!([]));
}

fn zipped(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, SimpleFileOptions::default()).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

/// A workbook with nothing in it, over and over; its directory may say that it is small.
fn bomb(bytes: usize, lying: bool) -> Vec<u8> {
    let mut packed = zipped("xl/workbook.xml", &vec![b' '; bytes]);
    assert!(packed.len() < 64 * 1024);
    if lying {
        // Field "uncompressed size": at 24 of the entry in the directory, at 22 of the local header.
        let directory = packed.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        for at in [22, directory + 24] {
            packed[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes());
        }
    }
    packed
}

#[tokio::test]
async fn only_the_province_may_import() {
    let fixture = Fixture::new().await.with_small_province().await;
    let admin = fixture.activated("admin.460100").await;
    let answer = fixture.import_as(&admin, "12345678-county", "province", "x.xlsx", &small_province()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let answer = fixture.import_as("nonsense", "12345678-nobody", "province", "x.xlsx", &small_province()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let stranger = testkit::caller(access::Role::ProvinceOfficeAdmin, Some(uuid::Uuid::new_v4().into()), None);
    let answer =
        fixture.import_as(&testkit::token(&stranger), "12345678-other", "province", "x.xlsx", &small_province()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

/// A row of a sheet that may be right or wrong in many ways.
fn any_school() -> impl Strategy<Value = [String; 6]> {
    let code = prop_oneof![
        8 => (0_u32..30).prop_map(|serial| format!("2146{serial:06}")),
        1 => "[0-9A-Z]{0,11}",
        1 => (0_u32..30).prop_map(|serial| format!(" ２１46{serial:06} ")),
    ];
    let name =
        prop_oneof![8 => "[甲乙丙丁一二三]{1,4}小学", 1 => "[ 　]{0,3}", 1 => "[\\x00-\\x20\"',;\\u{3000}海口]{0,12}"];
    let area = prop_oneof![8 => Just("460100".to_owned()), 4 => Just("460105".to_owned()), 1 => "[0-9]{5,7}"];
    let students = prop_oneof![4 => (0_u32..3000).prop_map(|n| n.to_string()), 1 => "[-0-9.,a]{0,5}"];
    let owner = prop_oneof![8 => Just("公办".to_owned()), 4 => Just("民办".to_owned()), 1 => "[a-z]{0,3}"];
    let competent = prop_oneof![8 => Just("edu-460100".to_owned()), 1 => "[a-z0-9-]{0,8}"];
    (code, name, area, students, owner, competent).prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f])
}

/// import(import(x)) = import(x), whatever x is: the second time nothing is new, the same rows are refused for the same
/// reasons, and nobody is told anything.
#[test]
fn importing_again_is_importing_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let fixture = runtime.block_on(async { Fixture::new().await.with_small_province().await });
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let rows = proptest::collection::vec(any_school(), 0..12);
    let result = runner.run(&rows, |rows| {
        let mut file = csv::Writer::from_writer(Vec::new());
        file.write_record(["学校标识码", "名称", "所在区划代码", "在校生数", "举办者", "主管单位键"]).unwrap();
        for row in &rows {
            file.write_record(row).unwrap();
        }
        let bytes = file.into_inner().unwrap();
        if bytes.contains(&0) {
            let refused = runtime.block_on(fixture.import("province", "x.csv", &bytes));
            prop_assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            return Ok(());
        }
        let first = runtime.block_on(fixture.import("province", "x.csv", &bytes));
        prop_assert_eq!(first.status, StatusCode::CREATED, "{}", first.json);
        let journalled = runtime.block_on(fixture.journalled());
        let second = runtime.block_on(fixture.import("province", "x.csv", &bytes));
        prop_assert_eq!(second.status, StatusCode::CREATED);
        prop_assert_eq!(runtime.block_on(fixture.journalled()), journalled);
        let [rows, created, changed, unchanged, refused] = figures(&first.json);
        prop_assert_eq!(rows, created + changed + unchanged + refused);
        prop_assert_eq!(figures(&second.json), [rows, 0, 0, created + changed + unchanged, refused]);
        prop_assert_eq!(&second.json["rejected"], &first.json["rejected"]);
        Ok(())
    });
    result.unwrap();
}

#[tokio::test]
async fn inspectors_keep_their_identity_through_changes() {
    let fixture = Fixture::new().await.with_small_province().await;
    let before = fixture.get("/v1/inspectors?q=HN-0001").await["items"][0].clone();
    let changed: &[&[&str]] =
        &[INSPECTORS[0], &["HN-0001", "督学0001", "460200", "兼职", "市县级", "2027-09-01", "2030-08-31", "50"]];
    fixture.imported("province", "x.xlsx", &workbook(&[("督学", changed)])).await;
    let after = fixture.get("/v1/inspectors?area=460200").await["items"][0].clone();
    assert_eq!(after["person_id"], before["person_id"]);
    assert_eq!(
        (&after["version"], &after["term_to"], &after["full_time"]),
        (&json!(2), &json!("2030-08-31"), &json!(false))
    );
    let events = events_of::<InspectorRecorded>(&fixture.database).await;
    let versions: Vec<i64> =
        events.iter().filter(|event| event.inspector_no == "HN-0001").map(|event| event.version).collect();
    assert_eq!(versions, [1, 2]);
}
