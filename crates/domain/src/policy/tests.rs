//! Hainan's plan of 2021 as it stands in `rulebook/hainan-2021/`.

use super::*;

const MEASURES: &str = include_str!("../../../../rulebook/hainan-2021/measures.toml");
const UNITS: &str = include_str!("../../../../rulebook/hainan-2021/units.toml");
const DIVISIONS: &str = include_str!("../../../../rulebook/hainan-2021/divisions.toml");

/// Characters that only Traditional Chinese uses; the source was a machine conversion into it.
const TRADITIONAL: &str = "\
    並個們備傳價優儲內別則創劃動務勞勵區協參員問單嚇嚴國圍園團執堅報場壓學實審寬將專\
    對導屬崗師帶幹庫廣廳強彈後徑從復徹態慮應懲戰採換揮撐撓擇擊擔據擴擾數斷於時書會條\
    業極構標樹機檢檻權歷歸決沒況減測準滯濟為熱狀獎現瓊產畫當發監眾確礎稱積穩節範簡籌\
    紀約納級細組結給統經綜維網緊編縣總績織繞繫繼續罰義習聞聯職肅脅與蓋處號術衛複見規\
    觀計訓託記設許評認調談諉請論證識議護豐負財貧貫責買費貿資質購較輕輟輿轉辦農連進遊\
    運過達違適選鄉針銷錄長門開間關隊際隨雙難雲電靈響項須預領頭頻題額類風養饋驗體點黨\
    齊齒\
    這個從來過還沒嗎電話國語學習時間長門風車馬鳥魚龍龜齒齊麥黃黨鹽\
    萬與東絲兩嚴喪豐臨為麗舉義烏樂喬鄉書買亂爭虧雲亞產畝親";

fn hainan() -> Policy {
    Policy::parse(MEASURES, UNITS, DIVISIONS).unwrap()
}

fn faults(measures: &str, units: &str, divisions: &str) -> Vec<PolicyFault> {
    match Policy::parse(measures, units, divisions) {
        Err(PolicyError::Faulty(faults)) => faults,
        other => panic!("expected faults, got {other:?}"),
    }
}

#[test]
fn there_are_22_measures_in_five_sections_and_two_requirements() {
    let policy = hainan();
    assert_eq!(policy.document.number, "琼办发〔2021〕13号");
    assert_eq!(policy.document.issued_on, jiff::civil::date(2021, 4, 15));
    assert_eq!(policy.measures.len(), 22);
    let per_section: Vec<usize> =
        (1..=5).map(|no| policy.measures.iter().filter(|it| it.section == no).count()).collect();
    assert_eq!(per_section, [3, 4, 8, 4, 3]);
    let keys: Vec<&str> = policy.requirements.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["W1", "W2"]);
    assert_eq!(policy.goals.len(), 5);
    assert_eq!(policy.principles.len(), 3);
    let tenth = policy.measure(10).unwrap();
    assert_eq!(tenth.title, "强化整改制度");
    assert!(tenth.text.contains("对整改不到位、不及时的，要发督办单，限期整改。"));
    // Measures 3, 6, 7, 13 and 16 have two paragraphs.
    let paragraphs: Vec<u8> = policy.measures.iter().filter(|it| it.text.contains('\n')).map(|it| it.no).collect();
    assert_eq!(paragraphs, [3, 6, 7, 13, 16]);
}

#[test]
fn the_committee_has_23_members_and_each_stands_in_measure_1() {
    let policy = hainan();
    let members = policy.group(UnitGroup::CommitteeMembers);
    assert_eq!(members.len(), 23);
    let text = &policy.measure(1).unwrap().text;
    for member in &members {
        assert!(text.contains(&member.short_name), "{}", member.short_name);
        assert!(member.name.contains("海南省"), "{}", member.name);
    }
    assert_eq!(policy.group(UnitGroup::ProvincialDepartments).len(), 23);
}

#[test]
fn the_tree_has_20_county_units_and_eight_districts() {
    let policy = hainan();
    let counties: Vec<&Division> = policy.county_units().collect();
    assert_eq!(counties.len(), 20);
    assert!(counties.iter().any(|it| it.code == DivisionCode::YANGPU));
    assert!(counties.iter().all(|it| it.parent == Some(DivisionCode::HAINAN)));
    let districts: Vec<String> = policy
        .divisions
        .iter()
        .filter(|it| it.level == DivisionLevel::District)
        .map(|it| it.code.to_string())
        .collect();
    assert_eq!(districts, ["460105", "460106", "460107", "460108", "460202", "460203", "460204", "460205"]);
    assert_eq!(policy.group(UnitGroup::CountyUnits).len(), 20);
    assert_eq!(policy.unit("edu-469028").unwrap().name, "陵水黎族自治县教育局");
    assert_eq!(policy.unit("gov-460400499").unwrap().name, "洋浦经济开发区管理委员会");
}

/// Every unit sees its own duties: what stands in the brackets after the measures, per unit.
#[test]
fn every_unit_sees_its_own_duties() {
    let policy = hainan();
    let keys = |unit: &str| -> Vec<String> { policy.duties_of(unit).iter().map(|duty| duty.source.key()).collect() };
    // Every bracket but that of measure 20 ends with 各市县; requirement W1 addresses them as well.
    let county: Vec<String> =
        (1..=22).filter(|no| *no != 20).map(|no: u8| no.to_string()).chain(["W1".to_owned()]).collect();
    assert_eq!(keys("gov-460100"), county);
    assert_eq!(keys("gov-460400499"), county);
    assert_eq!(keys("dept-big-data-460000"), ["2", "3", "4", "7", "15", "W1"]);
    assert_eq!(keys("dept-organisation-460000"), ["2", "3", "4", "12", "13", "14", "15", "W1", "W2"]);
    assert_eq!(keys("edu-460000").len(), 24);
    assert_eq!(keys("edu-460100"), Vec::<String>::new());
    // The matrix is the sum of its rows: 21 × 20 + 20 county cells, and the provincial ones.
    let counties = policy.duties().iter().filter(|duty| duty.unit.kind == UnitKind::Government).count();
    assert_eq!(counties, 22 * 20);
}

#[test]
fn what_the_document_names_is_what_the_keys_say() {
    let policy = hainan();
    for source in policy.sources() {
        let (as_named, groups) = match source {
            DutySource::Measure(it) => (&it.as_named, &it.groups),
            DutySource::Requirement(it) => (&it.as_named, &it.groups),
        };
        for unit in source.units() {
            let unit = policy.unit(unit.as_str()).unwrap();
            assert!(as_named.contains(&unit.short_name), "{}: {}", source.key(), unit.short_name);
        }
        for (group, words) in [
            (UnitGroup::CountyUnits, "各市县"),
            (UnitGroup::CommitteeMembers, "省教督委成员单位"),
            (UnitGroup::ProvincialDepartments, "有关部门"),
        ] {
            assert_eq!(groups.contains(&group), as_named.contains(words), "{}", source.key());
        }
        let named = as_named.split(['、', '，']).count();
        if matches!(source, DutySource::Measure(_)) {
            assert_eq!(named, source.units().len() + groups.len(), "{}", source.key());
        }
    }
}

#[test]
fn no_traditional_character_taiwan_word_or_junk_is_left() {
    for (file, text) in [("measures.toml", MEASURES), ("units.toml", UNITS), ("divisions.toml", DIVISIONS)] {
        let left: Vec<char> = text.chars().filter(|it| TRADITIONAL.contains(*it)).collect();
        assert_eq!(left, [], "{file}");
        for word in ["最佳化", "设定", "程式", "许可权", "网际", "智慧型", "幼稚园", "民众", "计画"]
        {
            assert!(!text.contains(word), "{file}: {word}");
        }
        let junk: Vec<char> = text
            .chars()
            .filter(|it| {
                !(it.is_ascii_graphic()
                    || matches!(*it, ' ' | '\n' | '×' | '∶')
                    || matches!(*it, '\u{4e00}'..='\u{9fff}')
                    || "，。、；：（）《》“”〔〕".contains(*it))
            })
            .collect();
        assert_eq!(junk, [], "{file}");
    }
    // The values carry Chinese punctuation only.
    for source in hainan().sources() {
        let ascii: Vec<char> = source.text().chars().filter(char::is_ascii_punctuation).collect();
        assert!(ascii.iter().all(|it| *it == '%'), "{}: {ascii:?}", source.key());
        assert!(source.text().ends_with('。'), "{}", source.key());
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let text = UNITS.replacen("member = true", "memberr = true", 1);
    let error = Policy::parse(MEASURES, &text, DIVISIONS).unwrap_err();
    let PolicyError::Unreadable { file, source } = error else {
        panic!("{error}");
    };
    assert_eq!(file, "units.toml");
    assert!(source.to_string().contains("memberr") && source.to_string().contains("line"));
}

#[test]
fn all_faults_are_reported_at_once() {
    let measures = MEASURES.replacen("\"dept-staffing-460000\"", "\"dept-nobody\"", 1).replacen(
        "no = 22\nsection = 5",
        "no = 23\nsection = 6",
        1,
    );
    let units = UNITS.replacen("key = \"gov-469001\"", "key = \"Gov_469001\"", 1).replacen(
        "competent = \"gov-469002\"",
        "competent = \"gov-1\"",
        1,
    );
    let divisions = DIVISIONS.replacen("parent = \"460100\"", "parent = \"460900\"", 1);
    let faults = faults(&measures, &units, &divisions);
    let code = |text: &str| text.parse::<DivisionCode>().unwrap();
    for expected in [
        PolicyFault::UnknownUnit { place: "measure 1".to_owned(), key: "dept-nobody".to_owned() },
        PolicyFault::MeasureNumber { expected: 22, found: 23 },
        PolicyFault::UnknownSection { measure: 23, section: 6 },
        PolicyFault::BadKey { key: "Gov_469001".to_owned() },
        PolicyFault::CountyUnitLacks { code: code("469001"), key: "gov-469001".to_owned() },
        PolicyFault::UnknownUnit { place: "office-469002".to_owned(), key: "gov-1".to_owned() },
        PolicyFault::UnknownDivision { place: "460105".to_owned(), code: code("460900") },
    ] {
        assert!(faults.contains(&expected), "{expected}: {faults:?}");
    }
}
