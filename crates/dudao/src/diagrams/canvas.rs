//! The few shapes that the pictures are made of. All measures are whole pixels.

use std::fmt::Write as _;

/// Fonts with Chinese characters on the usual systems.
const FONTS: &str =
    "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',sans-serif";
/// Size of headings.
pub const HEADING: i32 = 20;
/// Size of a state's name.
pub const NAME: i32 = 15;
/// Size of everything else.
pub const SMALL: i32 = 12;
/// The distance of small lines.
pub const LINE: i32 = 18;

/// Where a text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// It begins there.
    Start,
    /// It ends there.
    End,
}

/// How wide a text is at most: Chinese characters fill their square, others about half of it.
pub fn width(text: &str, size: i32) -> i32 {
    let halves: i32 = text.chars().map(|letter| if letter.is_ascii() { 11 } else { 20 }).sum();
    (halves * size + 19) / 20
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Shapes in the order in which they are painted.
#[derive(Default)]
pub struct Canvas(String);

impl Canvas {
    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        // Writing into a text cannot fail.
        let _ = self.0.write_fmt(shape);
        self.0.push('\n');
    }

    /// A rounded box.
    pub fn rect(&mut self, (x, y): (i32, i32), (width, height): (i32, i32), fill: &str, stroke: &str) {
        self.add(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{stroke}"/>"#
        ));
    }

    /// A filled circle.
    pub fn dot(&mut self, (x, y): (i32, i32), radius: i32, fill: &str) {
        self.add(format_args!(r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>"#));
    }

    /// A line through points, with an arrow head at its end where asked for.
    pub fn line(&mut self, points: &[(i32, i32)], arrow: bool, stroke: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let points = points.join(" ");
        let head = if arrow { r#" marker-end="url(#head)""# } else { "" };
        self.add(format_args!(r#"<polyline points="{points}" fill="none" stroke="{stroke}"{head}/>"#));
    }

    /// A text on its base line.
    pub fn text(&mut self, (x, y): (i32, i32), size: i32, align: Align, fill: &str, text: &str) {
        let anchor = match align {
            Align::Start => "start",
            Align::End => "end",
        };
        let weight = if size > SMALL { r#" font-weight="bold""# } else { "" };
        let text = escape(text);
        self.add(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{weight}>{text}</text>"#
        ));
    }

    /// The whole picture.
    pub fn finish(self, (width, height): (i32, i32), title: &str) -> String {
        let (title, shapes) = (escape(title), self.0);
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" xml:lang="zh-CN" font-family="{FONTS}">
<title>{title}</title>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0,1 L10,5 L0,9 z" fill="#334155"/></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
{shapes}</svg>
"##
        )
    }
}
