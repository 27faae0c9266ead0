//! The ladder as a stair: what each level does, what reaches it and who decides.

use domain::rulebook::{ClockTrigger, DecidedBy, LadderStep, Rulebook};

use super::canvas::{Align, Canvas, HEADING, LINE, NAME, SMALL, width};

const MARGIN: i32 = 24;
const PADDING: i32 = 12;
/// Between two levels, for the arrow.
const GAP: i32 = 36;
/// How much higher the next level stands.
const RISE: i32 = 56;
const INK: &str = "#334155";
const QUIET: &str = "#475569";
/// From calm to grave.
const FILLS: [&str; 5] = ["#f1f5f9", "#fef9c3", "#fed7aa", "#fdba74", "#fca5a5"];

/// Draws the ladder.
pub fn draw(rulebook: &Rulebook) -> String {
    let steps: Vec<(String, Vec<String>)> = rulebook.ladder.iter().map(words).collect();
    let box_width = |(title, lines): &(String, Vec<String>)| {
        let widest = lines.iter().map(|line| width(line, SMALL)).chain([width(title, NAME)]).max();
        widest.unwrap_or(0) + 2 * PADDING
    };
    let box_height = |lines: &[String]| 2 * PADDING + NAME + i32::try_from(lines.len()).unwrap_or(0) * LINE;
    let count = i32::try_from(steps.len()).unwrap_or(0);
    let heading = format!("督办升级阶梯（{}）", rulebook.version);
    let mut canvas = Canvas::default();
    canvas.text((MARGIN, MARGIN + HEADING), HEADING, Align::Start, INK, &heading);
    let mut left = MARGIN;
    let mut top = 2 * MARGIN + HEADING + RISE * (count - 1).max(0);
    let mut bottom = top;
    let mut came_from: Option<(i32, i32)> = None;
    for ((title, lines), fill) in steps.iter().zip(FILLS.iter().cycle()) {
        let size = (box_width(&(title.clone(), lines.clone())), box_height(lines));
        let arrow_y = top + PADDING + NAME;
        if let Some((x, y)) = came_from {
            canvas.line(&[(x, y), (x + GAP / 2, y), (x + GAP / 2, arrow_y), (left, arrow_y)], true, INK);
        }
        canvas.rect((left, top), size, fill, INK);
        canvas.text((left + PADDING, top + PADDING + NAME - 2), NAME, Align::Start, INK, title);
        for (line, down) in lines.iter().zip(1..) {
            let y = top + PADDING + NAME - 2 + down * LINE;
            canvas.text((left + PADDING, y), SMALL, Align::Start, QUIET, line);
        }
        bottom = bottom.max(top + size.1);
        came_from = Some((left + size.0, arrow_y));
        left += size.0 + GAP;
        top -= RISE;
    }
    canvas.finish((left - GAP + MARGIN, bottom + MARGIN), &heading)
}

/// A level's title and lines.
fn words(step: &LadderStep) -> (String, Vec<String>) {
    let decided = match step.decided_by {
        DecidedBy::System => "系统自动",
        DecidedBy::SupervisionAgency => "督导机构决定",
        DecidedBy::CommitteeLeader => "教督委领导决定",
    };
    let trigger = match step.trigger {
        ClockTrigger::DeadlineNear => "整改期限临近",
        ClockTrigger::DeadlinePassed => "整改期限届满未报告",
        ClockTrigger::UrgingLimitPassed => "督办期限届满未报告",
        ClockTrigger::InterviewLimitPassed => "约谈期限届满未整改",
        ClockTrigger::CircularLimitPassed => "通报期限届满未整改",
    };
    let mut lines = vec![decided.to_owned(), format!("时钟：{trigger}"), format!("等待：{}", step.wait.zh())];
    if !step.facts.is_empty() {
        lines.push("事实直接触发：".to_owned());
        lines.extend(step.facts.iter().map(|fact| format!("· {fact}")));
    }
    lines.push(step.article.clone());
    (format!("{} {}", step.level, step.action.zh()), lines)
}
