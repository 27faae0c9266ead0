//! Query parameters that several lists share.

use problem::{Problem, Text};

/// The pattern for a part of a name; its own signs of ILIKE mean themselves.
pub(crate) fn pattern(q: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(q) = q.map(str::trim).filter(|q| !q.is_empty()) else { return Ok(None) };
    let q = plain("query/q", q)?;
    let mut pattern = String::from("%");
    for c in q.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Ok(Some(pattern))
}

/// A text that the database can take: no control characters, at most 100 characters.
pub(crate) fn plain<'a>(pointer: &str, text: &'a str) -> Result<&'a str, Problem> {
    if text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err(Problem::invalid_field(
            pointer,
            Text::new("最多 100 个字符，且不含控制字符", "at most 100 characters and no control characters"),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signs_of_a_pattern_mean_themselves() {
        assert_eq!(pattern(Some(" 一小 ")).unwrap().as_deref(), Some("%一小%"));
        assert_eq!(pattern(Some("100%_\\")).unwrap().as_deref(), Some("%100\\%\\_\\\\%"));
        assert_eq!(pattern(Some("  ")).unwrap(), None);
        assert!(pattern(Some("a\0b")).is_err());
    }
}
