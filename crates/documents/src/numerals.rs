//! Chinese numerals for headings.

const DIGITS: [&str; 10] = ["〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// A number from 1 to 999 in Chinese; others in digits.
pub(crate) fn chinese(number: u32) -> String {
    let digit = |value: u32| usize::try_from(value).ok().and_then(|place| DIGITS.get(place)).copied().unwrap_or("");
    let below_hundred = |value: u32, after_hundred: bool| match (value / 10, value % 10) {
        (0, 0) => String::new(),
        (0, one) if after_hundred => format!("〇{}", digit(one)),
        (0, one) => digit(one).to_owned(),
        (1, one) if !after_hundred => format!("十{}", if one == 0 { "" } else { digit(one) }),
        (ten, one) => format!("{}十{}", digit(ten), if one == 0 { "" } else { digit(one) }),
    };
    match number {
        1..=99 => below_hundred(number, false),
        100..=999 => format!("{}百{}", digit(number / 100), below_hundred(number % 100, true)),
        _ => number.to_string(),
    }
}

/// The mark of a heading: 一、 （一） 1. （1） (GB/T 9704-2012, 7.3.3).
pub(crate) fn heading_mark(level: u8, number: u32) -> String {
    match level {
        1 => format!("{}、", chinese(number)),
        2 => format!("（{}）", chinese(number)),
        3 => format!("{number}."),
        _ => format!("（{number}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_read_as_they_are_spoken() {
        let spoken: Vec<String> = [1, 10, 11, 20, 23, 100, 101, 110, 115, 250].into_iter().map(chinese).collect();
        assert_eq!(
            spoken,
            ["一", "十", "十一", "二十", "二十三", "一百", "一百〇一", "一百一十", "一百一十五", "二百五十"]
        );
        assert_eq!(heading_mark(2, 12), "（十二）");
        assert_eq!(heading_mark(4, 3), "（3）");
    }
}
