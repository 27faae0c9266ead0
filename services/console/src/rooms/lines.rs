//! Texts line by line: those that have faults, and what one text changes of another.

use crate::api::Refusal;

/// Lines shown before and after one that matters.
const AROUND: usize = 2;
/// Texts whose difference would cost more comparisons than this are shown as one piece taken out and one put in.
const MOST_COMPARISONS: usize = 4_000_000;

/// A line of a text, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextLine {
    /// Its number; for a line that is gone, in the text that it stood in.
    pub(crate) number: usize,
    /// What stands there.
    pub(crate) text: String,
    /// `same`, `gone` or `new`.
    pub(crate) mark: &'static str,
    /// What is wrong with it.
    pub(crate) faults: Vec<String>,
    /// Lines before it are left out.
    pub(crate) gap: bool,
}

/// The line that a fault names at its beginning, as services say it: 第3行：… or line 3: ….
fn line_of(detail: &str) -> Option<usize> {
    let rest = detail.strip_prefix('第').or_else(|| detail.strip_prefix("line "))?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// The lines of a text that a refusal names, each with its neighbours.
pub(crate) fn faulty(text: &str, refusal: &Refusal) -> Vec<TextLine> {
    let faults: Vec<(usize, &str)> =
        refusal.errors.iter().filter_map(|fault| Some((line_of(&fault.detail)?, fault.detail.as_str()))).collect();
    let lines = (1..).zip(text.lines()).map(|(number, line)| TextLine {
        number,
        text: line.to_owned(),
        mark: "same",
        faults: faults.iter().filter(|(at, _)| *at == number).map(|(_, detail)| (*detail).to_owned()).collect(),
        gap: false,
    });
    around(lines.collect(), |line| !line.faults.is_empty())
}

/// What one text changes of another.
pub(crate) fn difference(former: &str, text: &str) -> Vec<TextLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (former.lines().collect(), text.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old[begin..].iter().rev().zip(new[begin..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (gone, come) = (&old[begin..old.len() - end], &new[begin..new.len() - end]);
    let line = |index: usize, text: &str, mark| TextLine {
        number: index + 1,
        text: text.to_owned(),
        mark,
        faults: Vec::new(),
        gap: false,
    };
    let mut lines: Vec<TextLine> = new[..begin].iter().enumerate().map(|(n, text)| line(n, text, "same")).collect();
    let (mut at_old, mut at_new) = (0, 0);
    for (from_old, from_new) in common(gone, come).into_iter().chain([(gone.len(), come.len())]) {
        lines.extend((at_old..from_old).map(|n| line(begin + n, gone[n], "gone")));
        lines.extend((at_new..from_new).map(|n| line(begin + n, come[n], "new")));
        if let Some(text) = come.get(from_new) {
            lines.push(line(begin + from_new, text, "same"));
        }
        (at_old, at_new) = (from_old + 1, from_new + 1);
    }
    let rest = new.len() - end;
    lines.extend(new[rest..].iter().enumerate().map(|(n, text)| line(rest + n, text, "same")));
    around(lines, |line| line.mark != "same")
}

/// The places of the longest row of lines that both have.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > MOST_COMPARISONS {
        return Vec::new();
    }
    let width = new.len() + 1;
    // For each pair of places, how many lines both have from there on.
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut places) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            places.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    places
}

/// The lines that matter, each with its neighbours.
fn around(lines: Vec<TextLine>, matters: impl Fn(&TextLine) -> bool) -> Vec<TextLine> {
    let places: Vec<usize> = lines.iter().enumerate().filter(|(_, line)| matters(line)).map(|(n, _)| n).collect();
    let near = |n: usize| places.iter().any(|place| n.abs_diff(*place) <= AROUND);
    let mut kept: Vec<TextLine> = Vec::new();
    let mut left_out = false;
    for (n, mut line) in lines.into_iter().enumerate() {
        if near(n) {
            line.gap = std::mem::take(&mut left_out);
            kept.push(line);
        } else {
            left_out = true;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(lines: &[TextLine]) -> Vec<(usize, &str, bool)> {
        lines.iter().map(|line| (line.number, line.mark, line.gap)).collect()
    }

    #[test]
    fn faults_stand_at_their_lines_in_both_languages() {
        let text = "a\nb\nc\nd\ne\nf\ng";
        let mut refusal = Refusal::own("t", "d").field("/content", "第5行：不明".to_owned());
        refusal = refusal.field("/content", "line 1: unknown".to_owned()).field("/reason", "空".to_owned());
        let lines = faulty(text, &refusal);
        let numbers: Vec<usize> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!((lines[0].faults.len(), lines[4].faults[0].as_str()), (1, "第5行：不明"));
        assert!(faulty(text, &Refusal::own("t", "d")).is_empty());
    }

    #[test]
    fn a_difference_shows_what_goes_and_comes_with_its_neighbours() {
        let (old, new) = ("a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nc\nx\ne\nf\ng\nh\ni");
        let lines = difference(old, new);
        let expected = [
            (2, "same", true),
            (3, "same", false),
            (4, "gone", false),
            (4, "new", false),
            (5, "same", false),
            (6, "same", false),
            (7, "same", false),
            (8, "same", false),
            (9, "new", false),
        ];
        assert_eq!(marks(&lines), expected);
        assert!(difference(old, old).is_empty());
        assert_eq!(marks(&difference("", "a")), [(1, "new", false)]);
        assert_eq!(
            marks(&difference("a\nb", "b\na\nb")),
            [(1, "new", false), (1, "same", false), (2, "same", false)].map(|(n, mark, gap)| if mark == "same" {
                (n + 1, mark, gap)
            } else {
                (n, mark, gap)
            })
        );
    }

    /// Taking the lines that are gone out of one text and putting the new ones in gives the other.
    #[test]
    fn a_difference_leads_from_one_text_to_the_other() {
        let mut seed = 7_u32;
        let mut next = |most: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % most
        };
        for _ in 0..300 {
            let mut text = |most: u32| -> Vec<String> { (0..next(most)).map(|_| next(4).to_string()).collect() };
            let (old, new) = (text(9), text(9));
            let (old, new): (Vec<&str>, Vec<&str>) =
                (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
            let places = common(&old, &new);
            assert!(places.iter().all(|(i, j)| old[*i] == new[*j]));
            assert!(places.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
            let lines = difference(&old.join("\n"), &new.join("\n"));
            for line in lines {
                let text = if line.mark == "gone" { &old } else { &new };
                assert_eq!(text[line.number - 1], line.text, "{old:?} {new:?}");
            }
        }
    }
}
