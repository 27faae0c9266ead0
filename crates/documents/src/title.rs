//! Breaking titles by meaning, into lines that form a trapezium or a diamond (GB/T 9704-2012, 7.3.1).

/// Characters of size 2 (22 pt) that a line holds; one less than fit, so that titles keep a margin.
const LINE: usize = 19;

/// Width in half characters: Latin letters and digits take half of the room of a Chinese character.
pub fn half_width(text: &str) -> usize {
    text.chars().map(half_width_of).sum()
}

fn half_width_of(letter: char) -> usize {
    if u32::from(letter) < 0x2E80 && !['“', '”', '‘', '’', '—', '…', '·'].contains(&letter) {
        1
    } else {
        2
    }
}

/// Splits a title into lines: as few as possible, of nearly equal length, broken where it harms the sense least.
pub(crate) fn break_title(title: &str) -> Vec<String> {
    let letters: Vec<char> = title.trim().chars().collect();
    let limit = LINE * 2;
    let total: usize = letters.iter().map(|letter| half_width_of(*letter)).sum();
    let count = total.div_ceil(limit).max(1);
    if count == 1 {
        return vec![letters.into_iter().collect()];
    }
    // A line more when nothing fits into the least number of lines (a long word at each break).
    (count..=count + 2)
        .find_map(|count| split(&letters, count, total, limit))
        .unwrap_or_else(|| by_width(&letters, limit))
}

/// The cheapest way to break into exactly so many lines; cost grows with uneven lines and bad places.
fn split(letters: &[char], count: usize, total: usize, limit: usize) -> Option<Vec<String>> {
    let mut widths = vec![0];
    for letter in letters {
        widths.push(widths.last().copied().unwrap_or_default() + half_width_of(*letter));
    }
    let wanted = total / count;
    let width = |from: usize, to: usize| Some(widths.get(to)?.saturating_sub(*widths.get(from)?));
    // best[place] = (cost, the breaks that lead there)
    let mut best: Vec<Option<(usize, Vec<usize>)>> = vec![None; letters.len() + 1];
    *best.first_mut()? = Some((0, Vec::new()));
    for line in 1..=count {
        let mut next: Vec<Option<(usize, Vec<usize>)>> = vec![None; letters.len() + 1];
        for from in 0..letters.len() {
            let Some(Some((cost, breaks))) = best.get(from) else { continue };
            for to in from + 1..=letters.len() {
                if width(from, to)? > limit {
                    break;
                }
                if (to == letters.len()) != (line == count) {
                    continue;
                }
                let uneven = width(from, to)?.abs_diff(wanted);
                let cost = cost + uneven * uneven + badness(letters, to);
                let slot = next.get_mut(to)?;
                if slot.as_ref().is_none_or(|(known, _)| cost < *known) {
                    let mut breaks = breaks.clone();
                    breaks.push(to);
                    *slot = Some((cost, breaks));
                }
            }
        }
        best = next;
    }
    let (_, breaks) = best.pop()??;
    let mut lines = Vec::new();
    let mut from = 0;
    for to in breaks {
        lines.push(letters.get(from..to)?.iter().collect());
        from = to;
    }
    Some(lines)
}

/// How much a break before this place harms.
fn badness(letters: &[char], place: usize) -> usize {
    let (Some(before), Some(after)) = (place.checked_sub(1).and_then(|place| letters.get(place)), letters.get(place))
    else {
        return 0;
    };
    if "》）〕”、，。：的".contains(*after) || "《（〔“关于对第".contains(*before) {
        return 4_000;
    }
    if before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric() {
        return 2_000;
    }
    // 第二小学 is one name.
    let numbered = "一二三四五六七八九十".contains(*before) && "小中高幼实".contains(*after);
    if numbered || WORDS.iter().any(|word| word.chars().eq([*before, *after])) {
        return 1_000;
    }
    let open = letters.iter().take(place).filter(|letter| **letter == '《').count();
    let closed = letters.iter().take(place).filter(|letter| **letter == '》').count();
    // A name in book marks is not torn, if its line can hold it.
    let inside = if open > closed { 400 } else { 0 };
    let good = "的》、）”".contains(*before) || "《关督整".contains(*after) || WORD_ENDS.contains(before);
    inside + if good { 0 } else { 40 }
}

/// Characters that often end a word in the names of offices and places.
const WORD_ENDS: [char; 16] =
    ['省', '市', '县', '区', '校', '学', '园', '会', '室', '局', '厅', '府', '年', '育', '题', '展'];

/// Words of such titles that are not torn.
const WORDS: [&str; 73] = [
    "学校", "小学", "中学", "大学", "实验", "中心", "幼儿", "儿园", "教育", "督导", "督办", "整改", "意见", "通知",
    "通报", "报告", "情况", "问题", "限期", "综合", "专项", "工作", "计划", "检查", "核查", "验收", "评估", "委员",
    "员会", "办公", "公室", "人民", "民政", "政府", "学期", "开展", "义务", "优质", "均衡", "发展", "有关", "负责",
    "责人", "规范", "范办", "办学", "校园", "安全", "落实", "不力", "管理", "行为", "师德", "食堂", "消防", "招生",
    "收费", "减负", "双减", "资助", "体育", "美育", "劳动", "心理", "健康", "学前", "职业", "高等", "部门", "单位",
    "领导", "班子", "所列",
];

fn by_width(letters: &[char], limit: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for letter in letters {
        if used + half_width_of(*letter) > limit {
            lines.push(String::new());
            used = 0;
        }
        used += half_width_of(*letter);
        if let Some(line) = lines.last_mut() {
            line.push(*letter);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_breaks_into_even_lines_and_loses_nothing() {
        for title in [
            "关于对海口市实验学校开展综合督导的通知",
            "关于限期整改《琼教督委〔2026〕12号》所列问题的督办单",
            "海南省人民政府教育督导委员会办公室关于2026年度全省义务教育优质均衡发展专项督导情况的通报",
            "A title in another language that is much too long for one line of a red-header document",
            "",
            "一",
        ] {
            let lines = break_title(title);
            assert_eq!(lines.concat(), title);
            assert!(lines.iter().all(|line| half_width(line) <= LINE * 2), "{lines:?}");
        }
        assert_eq!(break_title("关于对海口市琼山实验学校开展综合督导的通知")[0], "关于对海口市琼山实验学校");
        for (title, first) in [
            ("关于约谈海口市第二小学有关负责人的通知书", "关于约谈海口市第二小学"),
            ("关于开展校园安全与规范办学专项督导的通知书", "关于开展校园安全与规范办学"),
        ] {
            assert_eq!(break_title(title)[0], first);
        }
        assert_eq!(
            break_title("关于限期整改《琼教督委〔2026〕12号》所列问题的督办单"),
            ["关于限期整改《琼教督委〔2026〕12号》", "所列问题的督办单"].map(str::to_owned).to_vec(),
        );
    }

    #[test]
    fn a_very_long_title_ends_too() {
        let long = "督导".repeat(300);
        assert_eq!(break_title(&long).concat(), long);
    }
}
