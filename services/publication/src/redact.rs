//! Masking of personal data (个人信息去标识) before a text may become public: identity numbers, telephone numbers, and
//! names of minors and parents.
//!
//! The machine only proposes: it masks rather too much than too little, and lists what it masked, so that the person
//! who approves sees it and can word the finding in another way. No text leaves the system on the machine's word alone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a masked passage looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MarkKind {
    /// A resident identity number (居民身份证号码).
    IdNumber,
    /// A telephone number (电话号码).
    Phone,
    /// A name of a pupil or parent (姓名).
    Name,
}

impl MarkKind {
    /// What stands in the place of the passage.
    fn mask(self) -> &'static str {
        match self {
            Self::IdNumber => "［身份证号码已隐去］",
            Self::Phone => "［电话号码已隐去］",
            Self::Name => "［姓名已隐去］",
        }
    }
}

/// A masked passage, for the person who approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Mark {
    /// What it looked like.
    pub kind: MarkKind,
    /// The passage as it stood in the letter.
    pub original: String,
}

/// A text after masking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redacted {
    /// The text.
    pub text: String,
    /// What was masked in it.
    pub marks: Vec<Mark>,
}

/// Masks a text.
pub(crate) fn redact(text: &str) -> Redacted {
    let signs: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut marks = Vec::new();
    let mut at = 0;
    while at < signs.len() {
        let found = id_number(&signs, at)
            .map(|length| (MarkKind::IdNumber, length))
            .or_else(|| phone(&signs, at).map(|length| (MarkKind::Phone, length)))
            .or_else(|| name(&signs, at).map(|length| (MarkKind::Name, length)));
        if let Some((kind, length)) = found {
            marks.push(Mark { kind, original: signs.iter().skip(at).take(length).collect() });
            out.push_str(kind.mask());
            at += length;
        } else {
            out.extend(signs.get(at));
            at += 1;
        }
    }
    Redacted { text: out, marks }
}

/// A digit, also in full width.
fn digit(sign: char) -> Option<u32> {
    match sign {
        '0'..='9' => Some(u32::from(sign) - u32::from('0')),
        '０'..='９' => Some(u32::from(sign) - u32::from('０')),
        _ => None,
    }
}

fn is_digit_at(signs: &[char], at: usize) -> bool {
    signs.get(at).copied().and_then(digit).is_some()
}

/// Digits from `at` on with single separators between them: the digits, and the place of the last one.
///
/// People write numbers in groups; a separator counts only between two digits.
fn run(signs: &[char], at: usize, longest: usize) -> Vec<(u32, usize)> {
    let mut found = Vec::new();
    let mut place = at;
    while found.len() <= longest {
        if let Some(digit) = signs.get(place).copied().and_then(digit) {
            found.push((digit, place));
            place += 1;
        } else if !found.is_empty()
            && signs.get(place).is_some_and(|sign| matches!(sign, ' ' | '-' | '－' | '—' | '\u{3000}'))
            && is_digit_at(signs, place + 1)
        {
            place += 1;
        } else {
            break;
        }
    }
    found
}

/// Eighteen signs with a birthday inside (or fifteen digits of the old form). A wrong check sign does not matter: a
/// mistyped number betrays its owner too.
fn id_number(signs: &[char], at: usize) -> Option<usize> {
    if at > 0 && is_digit_at(signs, at - 1) {
        return None;
    }
    let digits = run(signs, at, 18);
    let value =
        |from: usize, to: usize| digits.get(from..to).map(|d| d.iter().fold(0, |sum, (digit, _)| sum * 10 + digit));
    let month_and_day = |from: usize| {
        matches!(value(from, from + 2), Some(1..=12)) && matches!(value(from + 2, from + 4), Some(1..=31))
    };
    let end = |n: usize| digits.get(n).map(|(_, place)| *place + 1);
    if digits.len() >= 17 && matches!(value(6, 10), Some(1900..=2099)) && month_and_day(10) {
        let after = end(16)?;
        return match digits.len() {
            17 if signs.get(after).is_some_and(|sign| matches!(sign, 'X' | 'x' | 'Ｘ' | 'ｘ')) => {
                Some(after + 1 - at)
            }
            18 => Some(end(17)? - at),
            _ => None,
        };
    }
    if digits.len() == 15 && month_and_day(8) {
        return Some(end(14)? - at);
    }
    None
}

/// A mobile number, also with +86 before it, or a landline with its area code.
fn phone(signs: &[char], at: usize) -> Option<usize> {
    if at > 0 && is_digit_at(signs, at - 1) {
        return None;
    }
    let digits = run(signs, at, 13);
    let nth = |n: usize| digits.get(n).map(|(digit, _)| *digit);
    let end = |n: usize| digits.get(n).map(|(_, place)| *place + 1 - at);
    let mobile_from = |n: usize| nth(n) == Some(1) && matches!(nth(n + 1), Some(3..=9));
    match digits.len() {
        11 if mobile_from(0) => end(10),
        13 if nth(0) == Some(8) && nth(1) == Some(6) && mobile_from(2) => end(12),
        10..=12 if nth(0) == Some(0) && nth(1) != Some(0) => end(digits.len() - 1),
        _ => None,
    }
}

/// Words after which a name may follow.
const BEFORE: [&str; 10] = ["学生", "同学", "家长", "幼儿", "儿童", "女生", "男生", "学童", "母亲", "父亲"];
/// Surnames of one character: the common ones of the country and of Hainan.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤符吉邢云冼冯翁蒙文占羊麦卓王庄占辛欧温俞柯关詹容祝盘";
/// Surnames of two characters.
const DOUBLE: [&str; 8] = ["欧阳", "司马", "上官", "诸葛", "司徒", "夏侯", "皇甫", "尉迟"];
/// Words that begin like a name and are none.
const NO_NAMES: [&str; 30] = [
    "高中", "高年", "高三", "高二", "高一", "高考", "方面", "方式", "成绩", "成长", "马上", "于是", "任何", "任课",
    "金额", "白天", "文化", "文明", "文体", "武术", "石油", "毛巾", "钱款", "程度", "关于", "关系", "关心", "容易",
    "温饱", "江河",
];
/// Signs that do not stand in a given name, but often after one.
const AFTER: &str = "的在和与及因于等是有未受遭被向反说称曾已为对将把就也还从到由同并或、，。；：！？（）《》“” 家投告遭申报举提要名班级校";

fn is_han(sign: char) -> bool {
    matches!(sign, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

/// A name at `at`: after one of the words (a colon or blank may stand between), or right before 同学.
fn name(signs: &[char], at: usize) -> Option<usize> {
    let length = name_length(signs, at)?;
    let before: String = signs.get(at.saturating_sub(4)..at).unwrap_or_default().iter().collect();
    let before = before.trim_end_matches(['：', ':', ' ', '\u{3000}', '“', '（', '(']);
    if BEFORE.iter().any(|word| before.ends_with(word)) {
        return Some(length);
    }
    // 李明同学, 张小明同学: the name reaches exactly to the word.
    let word_follows = |length: usize| {
        let word: String = signs.iter().skip(at + length).take(2).collect();
        matches!(word.as_str(), "同学" | "家长")
    };
    [2, 3].into_iter().find(|exact| *exact <= length && word_follows(*exact))
}

/// How long a name at `at` would be; `None` when none can begin there.
fn name_length(signs: &[char], at: usize) -> Option<usize> {
    let word: String = signs.iter().skip(at).take(2).collect();
    if NO_NAMES.contains(&word.as_str()) {
        return None;
    }
    let surname = if DOUBLE.contains(&word.as_str()) {
        2
    } else if signs.get(at).is_some_and(|sign| SURNAMES.contains(*sign)) {
        1
    } else {
        return None;
    };
    // 某 is what careful authors write already.
    let given = |n: usize| {
        signs.get(at + surname + n).copied().filter(|sign| is_han(*sign) && *sign != '某' && !AFTER.contains(*sign))
    };
    given(0)?;
    let rest: String = signs.iter().skip(at + surname + 1).take(2).collect();
    // The second sign of 王明同学 belongs to the word, not to the name.
    let second = given(1).is_some() && !matches!(rest.as_str(), "同学" | "家长" | "学生");
    Some(surname + 1 + usize::from(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_masked_and_the_rest_stays() {
        let id = "［身份证号码已隐去］";
        let tel = "［电话号码已隐去］";
        let name = "［姓名已隐去］";
        let table = [
            ("学生张三在食堂用餐", format!("学生{name}在食堂用餐")),
            ("学生：王小明，五年级", format!("学生：{name}，五年级")),
            ("家长李某某反映", "家长李某某反映".to_owned()),
            ("家长欧阳文静投诉", format!("家长{name}投诉")),
            ("五年级张小明同学未到校", format!("五年级{name}同学未到校")),
            ("李明同学的学籍", format!("{name}同学的学籍")),
            ("幼儿符吉祥过敏", format!("幼儿{name}过敏")),
            ("身份证号460106201203041234。", format!("身份证号{id}。")),
            ("460106 20120304 123X已登记", format!("{id}已登记")),
            ("４６０１０６２０１２０３０４１２３４", id.to_owned()),
            ("旧证460106120304123", format!("旧证{id}")),
            ("电话13800138000", format!("电话{tel}")),
            ("138-0013-8000或138 0013 8000", format!("{tel}或{tel}")),
            ("+8613800138000", format!("+{tel}")),
            ("联系0898-66123456", format!("联系{tel}")),
            ("学生张三（电话13800138000）", format!("学生{name}（电话{tel}）")),
        ];
        for (text, masked) in table {
            assert_eq!(redact(text).text, masked, "{text}");
        }
    }

    #[test]
    fn ordinary_texts_of_letters_are_left_alone() {
        for text in [
            "学生食堂未落实陪餐制度，家长委员会参与不足。",
            "全体同学未参加演练，部分同学无床位。",
            "学生宿舍消防通道堵塞，学生人数超过核定规模。",
            "琼教督委〔2026〕12号，学校标识码3146004101，投入经费12345678901234元。",
            "2026年9月1日至2026年12月31日，学生高中阶段毛入学率98.5%。",
            "家长方面的意见未收集，学生成绩公开排名。",
            "统一社会信用代码12460000428200000A。",
        ] {
            let redacted = redact(text);
            assert_eq!(redacted.text, text);
            assert!(redacted.marks.is_empty());
        }
    }

    #[test]
    fn what_was_masked_is_listed_for_the_person_who_approves() {
        let redacted = redact("学生张三，身份证460106201203041234，家长电话13800138000。");
        let found: Vec<_> = redacted.marks.iter().map(|mark| (mark.kind, mark.original.as_str())).collect();
        assert_eq!(
            found,
            [(MarkKind::Name, "张三"), (MarkKind::IdNumber, "460106201203041234"), (MarkKind::Phone, "13800138000"),]
        );
        // Masking what is masked changes nothing.
        assert_eq!(redact(&redacted.text), Redacted { text: redacted.text.clone(), marks: Vec::new() });
    }
}
