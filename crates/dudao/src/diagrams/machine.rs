//! A state machine on paper: the states in one column, in the order of the data; what leads to the next state goes
//! straight down, what leads further down runs along the right side, what leads back along the left side.
//!
//! Each act is written beside the box that it leaves, between the box and the lanes, so no line crosses a word and no
//! line crosses a box. All acts that lead to one state from the same side share one lane.

use std::collections::BTreeMap;

use domain::rulebook::machines::{Machine, State};
use domain::rulebook::{Owner, RuleEntry, Rulebook};

use super::canvas::{Align, Canvas, HEADING, LINE, NAME, SMALL, width};

const MARGIN: i32 = 24;
const PADDING: i32 = 12;
/// From one lane to the next.
const LANE: i32 = 16;
/// The least distance of two boxes.
const GAP: i32 = 30;
const INK: &str = "#334155";
const LABEL: &str = "#1e3a5f";
const QUIET: &str = "#475569";

/// The acts that lead from one state to another, each in words.
type Edges = BTreeMap<(usize, usize), Vec<String>>;

/// A side of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Where a line leaves or enters a box.
struct Port {
    /// The state.
    row: usize,
    /// The state that the lane leads to.
    target: usize,
    /// The acts; none where the lane enters.
    labels: Vec<String>,
}

/// A box with its lines of text and its place.
struct Cell {
    title: String,
    lines: Vec<String>,
    fill: &'static str,
    top: i32,
    height: i32,
}

struct Layout {
    cells: Vec<Cell>,
    box_width: i32,
    left: Vec<(Port, i32)>,
    right: Vec<(Port, i32)>,
    down: Edges,
    bottom: i32,
}

/// Draws the machine.
pub fn draw(machine: &Machine, rulebook: &Rulebook) -> String {
    let layout = lay_out(machine, rulebook);
    let gutter = |ports: &[(Port, i32)]| {
        let widest = ports.iter().flat_map(|(port, _)| &port.labels).map(|text| width(text, SMALL)).max();
        widest.map_or(0, |widest| widest + 2 * PADDING)
    };
    let (left_lanes, right_lanes) = (lanes(&layout.left), lanes(&layout.right));
    let reach = |lanes: &BTreeMap<usize, i32>| lanes.values().max().map_or(0, |last| (last + 1) * LANE);
    // A word beside an arrow to the next state may be longer than half a box; the lanes keep clear of it.
    let beside = layout.down.values().flatten().map(|text| width(text, SMALL)).max().unwrap_or(0);
    let overhang = PADDING + beside + PADDING - layout.box_width / 2;
    let (left_gutter, right_gutter) = (gutter(&layout.left), gutter(&layout.right).max(overhang));
    let box_left = MARGIN + reach(&left_lanes) + left_gutter;
    let box_right = box_left + layout.box_width;
    let heading = format!("{}（{} {}）", machine.title, machine.key, rulebook.version);
    let whole = (box_right + right_gutter + reach(&right_lanes) + MARGIN).max(width(&heading, HEADING) + 2 * MARGIN);

    let mut canvas = Canvas::default();
    canvas.text((MARGIN, MARGIN + HEADING), HEADING, Align::Start, INK, &heading);
    let sides = [
        (Side::Left, &layout.left, &left_lanes, box_left, left_gutter),
        (Side::Right, &layout.right, &right_lanes, box_right, right_gutter),
    ];
    for (side, ports, lanes, edge, gutter) in sides {
        draw_side(&mut canvas, side, ports, lanes, edge, gutter);
    }
    let middle = box_left + layout.box_width / 2;
    draw_down(&mut canvas, &layout, middle);
    for cell in &layout.cells {
        draw_cell(&mut canvas, cell, box_left, layout.box_width);
    }
    draw_beginning(&mut canvas, machine, &layout, middle);
    canvas.finish((whole, layout.bottom + MARGIN), &heading)
}

/// The acts between different states, by the places of the states; the words of acts that stay where they are.
fn edges(machine: &Machine) -> (Edges, BTreeMap<usize, Vec<String>>) {
    let row = |key: &str| machine.states.iter().position(|state| state.key == key);
    let (mut between, mut within) = (Edges::new(), BTreeMap::<usize, Vec<String>>::new());
    for act in &machine.transitions {
        let Some(to) = row(&act.to) else { continue };
        for from in act.from.iter().filter_map(|from| row(from)) {
            let words = format!("{}（{}）", act.title, act.by.zh());
            if from == to {
                within.entry(from).or_default().push(format!("↻ {words}"));
            } else {
                between.entry((from, to)).or_default().push(words);
            }
        }
    }
    (between, within)
}

fn lay_out(machine: &Machine, rulebook: &Rulebook) -> Layout {
    let entries = rulebook.entries();
    let (between, within) = edges(machine);
    let down: Edges = between.iter().filter(|((from, to), _)| from + 1 == *to).map(|(k, v)| (*k, v.clone())).collect();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut cells = Vec::new();
    let mut top = 2 * MARGIN + HEADING + GAP;
    for (row, state) in machine.states.iter().enumerate() {
        let mut lines = wait(state, &entries);
        lines.extend(within.get(&row).cloned().unwrap_or_default());
        let own = PADDING * 2 + NAME + i32::try_from(lines.len()).unwrap_or(0) * LINE;
        // Lanes that enter stand above those that leave.
        let mut height = own;
        for (side, ports) in [(Side::Left, &mut left), (Side::Right, &mut right)] {
            let is_here = |from: usize, to: usize| match side {
                Side::Left => to < from,
                Side::Right => from + 1 < to,
            };
            let mut here = Vec::new();
            if between.keys().any(|(from, to)| *to == row && is_here(*from, *to)) {
                here.push(Port { row, target: row, labels: Vec::new() });
            }
            for ((_, to), labels) in between.iter().filter(|((from, to), _)| *from == row && is_here(*from, *to)) {
                here.push(Port { row, target: *to, labels: labels.clone() });
            }
            let mut y = top + PADDING / 2;
            for port in here {
                y += port_height(&port);
                ports.push((port, y));
            }
            height = height.max(y - top + PADDING);
        }
        let fill = if state.terminal { "#dcfce7" } else { fill_of(state.owner) };
        cells.push(Cell { title: state.title.clone(), lines, fill, top, height });
        let labels = down.get(&(row, row + 1)).map_or(0, Vec::len);
        top += height + GAP + i32::try_from(labels).unwrap_or(0) * LINE;
    }
    let texts = cells
        .iter()
        .flat_map(|cell| cell.lines.iter().map(|line| width(line, SMALL)).chain([width(&cell.title, NAME)]));
    let box_width = texts.max().unwrap_or(0) + 2 * PADDING;
    let bottom = cells.last().map_or(top, |cell| cell.top + cell.height);
    Layout { cells, box_width, left, right, down, bottom }
}

/// How much room a port takes above its line.
fn port_height(port: &Port) -> i32 {
    i32::try_from(port.labels.len().max(1)).unwrap_or(1) * LINE + 2
}

/// Whom the state waits for and how long.
fn wait(state: &State, entries: &[RuleEntry]) -> Vec<String> {
    let (Some(owner), Some(clock)) = (state.owner, &state.clock) else { return vec!["终结状态".to_owned()] };
    let rules: Vec<&RuleEntry> =
        entries.iter().filter(|entry| domain::rulebook::machines::names(clock, &entry.key)).collect();
    // One name for the rules of all severities; different names stay apart.
    let mut periods: Vec<(&str, Vec<String>)> = Vec::new();
    for entry in rules {
        let name = entry.title.split('（').next().unwrap_or_default();
        let period = entry.due.zh();
        match periods.last_mut() {
            Some((last, known)) if *last == name => {
                if known.last() != Some(&period) {
                    known.push(period);
                }
            }
            _ => periods.push((name, vec![period])),
        }
    }
    let limits = periods.into_iter().map(|(name, periods)| format!("期限：{name} {}", periods.join("／")));
    std::iter::once(format!("责任主体：{}", owner.zh())).chain(limits).collect()
}

const fn fill_of(owner: Option<Owner>) -> &'static str {
    match owner {
        Some(Owner::Unit | Owner::Accountable | Owner::Complainant | Owner::PetitionBody | Owner::CountyGovernment) => {
            "#fef3c7"
        }
        Some(
            Owner::Agency
            | Owner::HigherAgency
            | Owner::CommitteeOffice
            | Owner::CommitteeLeader
            | Owner::HigherOffice
            | Owner::Inspector
            | Owner::InvestigationGroup
            | Owner::ConsultedBody,
        ) => "#dbeafe",
        Some(Owner::System) | None => "#f1f5f9",
    }
}

/// From where to where the lane of each state reaches.
fn spans(ports: &[(Port, i32)]) -> BTreeMap<usize, (i32, i32)> {
    let mut spans: BTreeMap<usize, (i32, i32)> = BTreeMap::new();
    for (port, y) in ports {
        let span = spans.entry(port.target).or_insert((*y, *y));
        *span = (span.0.min(*y), span.1.max(*y));
    }
    spans
}

/// A lane for each state that the side leads to, counted from the column: short ones inside, none over another.
fn lanes(ports: &[(Port, i32)]) -> BTreeMap<usize, i32> {
    let mut by_length: Vec<(usize, (i32, i32))> = spans(ports).into_iter().collect();
    by_length.sort_by_key(|(target, (from, to))| (to - from, *target));
    let mut taken: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut lanes = BTreeMap::new();
    for (target, (from, to)) in by_length {
        let is_free =
            |spans: &Vec<(i32, i32)>| spans.iter().all(|(first, last)| to < first - LINE || last + LINE < from);
        let lane = taken.iter().position(is_free).unwrap_or(taken.len());
        if lane == taken.len() {
            taken.push(Vec::new());
        }
        if let Some(spans) = taken.get_mut(lane) {
            spans.push((from, to));
        }
        lanes.insert(target, i32::try_from(lane).unwrap_or(0));
    }
    lanes
}

fn draw_side(
    canvas: &mut Canvas,
    side: Side,
    ports: &[(Port, i32)],
    lanes: &BTreeMap<usize, i32>,
    edge: i32,
    gutter: i32,
) {
    let out = match side {
        Side::Left => -1,
        Side::Right => 1,
    };
    let lane_x = |lane: &i32| edge + out * (gutter + lane * LANE);
    for (target, (from, to)) in spans(ports) {
        if let Some(x) = lanes.get(&target).map(lane_x) {
            canvas.line(&[(x, from), (x, to)], false, INK);
        }
    }
    for (port, y) in ports {
        let Some(x) = lanes.get(&port.target).map(lane_x) else { continue };
        if port.row == port.target {
            canvas.line(&[(x, *y), (edge, *y)], true, INK);
            continue;
        }
        canvas.line(&[(edge, *y), (x, *y)], false, INK);
        // A dot tells a line that joins a lane from one that crosses it.
        let others = || ports.iter().filter(|(other, _)| other.target == port.target && other.row != port.target);
        let is_last = match side {
            Side::Left => others().all(|(_, other)| other <= y),
            Side::Right => others().all(|(_, other)| other >= y),
        };
        if !is_last {
            canvas.dot((x, *y), 3, INK);
        }
        let align = match side {
            Side::Left => Align::End,
            Side::Right => Align::Start,
        };
        for (index, label) in port.labels.iter().rev().enumerate() {
            let up = i32::try_from(index).unwrap_or(0) * LINE + 4;
            canvas.text((edge + out * PADDING / 2, y - up), SMALL, align, LABEL, label);
        }
    }
}

/// The arrows to the next state, with their acts on the right of the line.
fn draw_down(canvas: &mut Canvas, layout: &Layout, middle: i32) {
    for ((from, to), labels) in &layout.down {
        let (Some(upper), Some(lower)) = (layout.cells.get(*from), layout.cells.get(*to)) else { continue };
        let start = upper.top + upper.height;
        canvas.line(&[(middle, start), (middle, lower.top)], true, INK);
        for (index, label) in labels.iter().enumerate() {
            let down = i32::try_from(index + 1).unwrap_or(1) * LINE + 4;
            canvas.text((middle + PADDING, start + down), SMALL, Align::Start, LABEL, label);
        }
    }
}

fn draw_cell(canvas: &mut Canvas, cell: &Cell, left: i32, box_width: i32) {
    canvas.rect((left, cell.top), (box_width, cell.height), cell.fill, INK);
    let mut y = cell.top + PADDING + NAME - 2;
    canvas.text((left + PADDING, y), NAME, Align::Start, INK, &cell.title);
    for line in &cell.lines {
        y += LINE;
        canvas.text((left + PADDING, y), SMALL, Align::Start, QUIET, line);
    }
}

/// The dot from which the machine begins.
fn draw_beginning(canvas: &mut Canvas, machine: &Machine, layout: &Layout, middle: i32) {
    let first = machine.states.iter().position(|state| state.key == machine.initial);
    let Some(cell) = first.and_then(|row| layout.cells.get(row)) else { return };
    canvas.dot((middle, cell.top - GAP + 6), 6, INK);
    canvas.line(&[(middle, cell.top - GAP + 6), (middle, cell.top)], true, INK);
}
