//! Schools in the proportions of domain.md n.2.

use std::collections::BTreeSet;

use domain::{
    code::{CodeError, CreditCode, DivisionCode, SchoolCode, SchoolKind},
    policy::{Division, DivisionLevel, Policy, UnitKey},
};

use super::{Chance, Credits, SchoolRow};

/// How many schools of a kind there are, how many in a hundred are private, and the usual range of
/// student numbers.
struct Kind {
    of: SchoolKind,
    count: u32,
    private_percent: u64,
    students: (u32, u32),
}

const KINDS: [Kind; 7] = [
    kind(SchoolKind::Kindergarten, 2_500, 55, (40, 360)),
    kind(SchoolKind::Primary, 1_300, 7, (60, 1_900)),
    kind(SchoolKind::Junior, 470, 8, (200, 2_000)),
    kind(SchoolKind::Senior, 145, 15, (800, 4_200)),
    kind(SchoolKind::SecondaryVocational, 85, 30, (300, 5_000)),
    kind(SchoolKind::Special, 22, 0, (30, 250)),
    kind(SchoolKind::RegularHigher, 22, 40, (3_000, 26_000)),
];

const fn kind(kind: SchoolKind, count: u32, private: u64, students: (u32, u32)) -> Kind {
    Kind { of: kind, count, private_percent: private, students }
}

/// Weight of a county unit: its inhabitants in thousands, roughly. Those that are not listed
/// (another province's tree) weigh the same.
fn weight(code: DivisionCode) -> u32 {
    match code.to_string().as_str() {
        "460100" => 2_870,
        "460200" => 1_030,
        "460300" => 2,
        "460400" => 870,
        "460400499" => 80,
        "469001" => 110,
        "469002" => 530,
        "469005" => 560,
        "469006" => 545,
        "469007" => 445,
        "469021" => 285,
        "469022" => 255,
        "469023" => 500,
        "469024" => 420,
        "469025" => 165,
        "469026" => 230,
        "469027" => 465,
        "469028" => 370,
        "469029" => 155,
        "469030" => 180,
        _ => 300,
    }
}

const FIRST: [&str; 24] = [
    "新", "东", "西", "南", "北", "长", "龙", "美", "秀", "云", "石", "白", "金", "红", "和", "永", "福", "文", "大",
    "清", "万", "高", "上", "中",
];
const SECOND: [&str; 20] = [
    "坡", "山", "港", "湾", "村", "田", "岭", "江", "城", "园", "塘", "溪", "安", "兴", "昌", "丰", "埔", "滨", "桥",
    "林",
];
const KINDERGARTEN: [&str; 16] = [
    "小太阳",
    "金苹果",
    "蓝天",
    "启明星",
    "童乐",
    "阳光",
    "春蕾",
    "海贝",
    "椰娃",
    "七彩",
    "小海豚",
    "红树林",
    "育苗",
    "晨曦",
    "乐知",
    "博雅",
];
const FIELD: [&str; 16] = [
    "热带农业",
    "海洋",
    "旅游",
    "经贸",
    "健康",
    "信息工程",
    "航海",
    "师范",
    "艺术",
    "体育",
    "建筑",
    "交通",
    "财经",
    "外国语",
    "生态",
    "传媒",
];
const NUMERAL: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

pub(super) fn generate(
    policy: &Policy,
    chance: &mut Chance,
    credits: &mut Credits,
) -> Result<Vec<SchoolRow>, CodeError> {
    let counties: Vec<&Division> = policy.county_units().collect();
    let mut names = BTreeSet::new();
    let mut schools = Vec::new();
    for kind in &KINDS {
        let mut serial = 0;
        for (county, count) in counties.iter().zip(shares(kind, &counties)) {
            let towns = towns(chance);
            for index in 1..=count {
                serial += 1;
                let public = !chance.percent(kind.private_percent);
                let name = unique(&mut names, |attempt| {
                    name(kind.of, county, &towns, public, index + attempt * count, chance)
                });
                schools.push(SchoolRow {
                    code: SchoolCode::try_new(kind.of, province(policy), number(kind.of, serial))?,
                    name,
                    kind: kind.of,
                    county: county.code,
                    division: district(policy, county, chance),
                    public,
                    credit: credit(kind.of, county.code, public, chance, credits)?,
                    students: students(kind, chance),
                    competent: competent(kind.of, policy, county),
                });
            }
        }
    }
    Ok(schools)
}

/// How many schools of a kind each county unit has: by weight, the largest remainders first; at
/// least one kindergarten and one primary school everywhere.
fn shares(kind: &Kind, counties: &[&Division]) -> Vec<u32> {
    let total: u32 = counties.iter().map(|it| weight(it.code)).sum();
    let least = u32::from(matches!(kind.of, SchoolKind::Kindergarten | SchoolKind::Primary));
    let mut shares: Vec<u32> =
        counties.iter().map(|it| (kind.count * weight(it.code) / total.max(1)).max(least)).collect();
    let mut order: Vec<usize> = (0..counties.len()).collect();
    order.sort_by_key(|&it| std::cmp::Reverse(kind.count * weight(counties[it].code) % total.max(1)));
    let missing = kind.count.saturating_sub(shares.iter().sum());
    for &index in order.iter().cycle().take(missing.try_into().unwrap_or(0)) {
        shares[index] += 1;
    }
    shares
}

/// Universities keep their old five-digit code behind a zero, all others have a plain serial.
const fn number(kind: SchoolKind, serial: u32) -> u32 {
    if kind.is_higher() { 13_000 + serial } else { serial }
}

fn province(policy: &Policy) -> u8 {
    policy
        .divisions
        .iter()
        .find(|it| it.level == DivisionLevel::Province)
        .and_then(|it| u8::try_from(it.code.six_digits() / 10_000).ok())
        .unwrap_or_default()
}

fn district(policy: &Policy, county: &Division, chance: &mut Chance) -> DivisionCode {
    let districts: Vec<DivisionCode> =
        policy.divisions.iter().filter(|it| it.parent == Some(county.code)).map(|it| it.code).collect();
    if districts.is_empty() { county.code } else { *chance.pick(&districts) }
}

/// Universities are administered by the province, all others by their county (measure 2).
fn competent(kind: SchoolKind, policy: &Policy, county: &Division) -> UnitKey {
    if kind.is_higher() {
        let province = policy.divisions.iter().find(|it| it.level == DivisionLevel::Province);
        UnitKey::education_bureau(province.map_or(county.code, |it| it.code))
    } else {
        UnitKey::education_bureau(county.code)
    }
}

fn credit(
    kind: SchoolKind,
    county: DivisionCode,
    public: bool,
    chance: &mut Chance,
    credits: &mut Credits,
) -> Result<Option<CreditCode>, CodeError> {
    if !chance.percent(75) {
        return Ok(None);
    }
    // Compulsory schools may not be run for profit.
    let compulsory = matches!(kind, SchoolKind::Primary | SchoolKind::Junior);
    if public {
        credits.public_school(county)
    } else if !compulsory && chance.percent(20) {
        credits.for_profit_school(county)
    } else {
        credits.private_school(county)
    }
    .map(Some)
}

/// Small schools are more frequent than large ones: the smaller of two draws.
fn students(kind: &Kind, chance: &mut Chance) -> u32 {
    let (low, high) = kind.students;
    chance.between(low, high).min(chance.between(low, high))
}

fn towns(chance: &mut Chance) -> Vec<String> {
    (0..14).map(|_| place(chance)).collect()
}

fn place(chance: &mut Chance) -> String {
    format!("{}{}", chance.pick(&FIRST), chance.pick(&SECOND))
}

/// The first name of a series that is still free; `make` must leave small numbers for chance as the
/// attempts grow, or the series could end.
fn unique(names: &mut BTreeSet<String>, mut make: impl FnMut(u32) -> String) -> String {
    let mut attempt = 0;
    loop {
        let name = make(attempt);
        if names.insert(name.clone()) {
            return name;
        }
        attempt += 1;
    }
}

fn name(
    kind: SchoolKind,
    county: &Division,
    towns: &[String],
    public: bool,
    index: u32,
    chance: &mut Chance,
) -> String {
    let area = county.short_name.as_str();
    let town = chance.pick(towns).clone();
    let numbered = numeral(index);
    match kind {
        SchoolKind::Kindergarten => match (public, chance.below(3)) {
            (true, 0) => format!("{area}第{numbered}幼儿园"),
            (true, 1) => format!("{area}{town}镇中心幼儿园"),
            (true, _) => format!("{area}{town}镇{}幼儿园", place(chance)),
            (false, 0) => format!("{area}{}幼儿园", chance.pick(&KINDERGARTEN)),
            (false, _) => {
                format!("{area}{}{}幼儿园", place(chance), chance.pick(&KINDERGARTEN))
            }
        },
        SchoolKind::Primary => match (public, index <= 8, chance.below(3)) {
            (true, true, _) => format!("{area}第{numbered}小学"),
            (true, false, 0) => format!("{area}{town}镇中心小学"),
            (true, false, 1) => format!("{area}{town}镇{}小学", place(chance)),
            (true, false, _) => format!("{area}{}小学", place(chance)),
            (false, _, _) => format!("{area}{}实验学校", place(chance)),
        },
        SchoolKind::Junior => match (public, index <= 6) {
            (true, true) => format!("{area}第{numbered}初级中学"),
            (true, false) => format!("{area}{town}镇{}初级中学", place(chance)),
            (false, _) => format!("{area}{}外国语学校", place(chance)),
        },
        SchoolKind::Senior => match (public, index) {
            (true, 1) => format!("{area}高级中学"),
            (true, _) => format!("{area}第{numbered}中学"),
            (false, _) => format!("{area}{}高级中学", place(chance)),
        },
        SchoolKind::SecondaryVocational => match (public, index) {
            (true, 1) => format!("{area}职业技术学校"),
            (true, 2..=8) => format!("{area}{}职业学校", chance.pick(&FIELD)),
            (_, _) => format!("{area}{}{}职业学校", place(chance), chance.pick(&FIELD)),
        },
        SchoolKind::Special => match index {
            1 => format!("{area}特殊教育学校"),
            _ => format!("{area}第{numbered}特殊教育学校"),
        },
        SchoolKind::RegularHigher => {
            format!("{area}{}{}职业学院", place(chance), chance.pick(&FIELD))
        }
        SchoolKind::AdultPrimary
        | SchoolKind::VocationalJunior
        | SchoolKind::AdultJunior
        | SchoolKind::AdultSenior
        | SchoolKind::WorkStudy
        | SchoolKind::AdultHigher
        | SchoolKind::ResearchBody
        | SchoolKind::OtherPrivateHigher
        | SchoolKind::SecondaryVocationalTraining => format!("{area}{town}{}", kind.zh()),
    }
}

/// A number in Chinese characters as names use it: 第二十一小学.
fn numeral(number: u32) -> String {
    let digit = |value: u32| NUMERAL[usize::try_from(value % 10).unwrap_or_default()];
    match number {
        0..=9 => digit(number).to_owned(),
        10 => "十".to_owned(),
        11..=19 => format!("十{}", digit(number)),
        20..=99 if number.is_multiple_of(10) => format!("{}十", digit(number / 10)),
        20..=99 => format!("{}十{}", digit(number / 10), digit(number)),
        100.. => {
            let hundreds = numeral(number / 100);
            match number % 100 {
                0 => format!("{hundreds}百"),
                rest @ 1..=9 => format!("{hundreds}百零{}", digit(rest)),
                rest @ 10..=19 => format!("{hundreds}百一{}", numeral(rest)),
                rest => format!("{hundreds}百{}", numeral(rest)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::numeral;

    #[test]
    fn numerals_read_as_names_write_them() {
        for (number, text) in [
            (1, "一"),
            (10, "十"),
            (12, "十二"),
            (20, "二十"),
            (21, "二十一"),
            (100, "一百"),
            (105, "一百零五"),
            (110, "一百一十"),
            (121, "一百二十一"),
        ] {
            assert_eq!(numeral(number), text);
        }
    }
}
