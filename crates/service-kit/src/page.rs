//! Pages of a list, by cursor: stable while rows are added, and no count of all rows.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use problem::{Problem, ProblemKind, Text};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Rows of a page when the caller names no number.
pub const DEFAULT_LIMIT: u16 = 50;
/// Most rows of a page.
pub const MAX_LIMIT: u16 = 200;

/// The query parameters of a list: `?limit=50&after=…`.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows of the page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A checked request for a page; `K` is the sort key of the list, such as `(Timestamp, Uuid)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Rows of the page.
    pub limit: u16,
    /// The key of the last row that the caller has seen.
    pub after: Option<K>,
}

impl<K> PageRequest<K> {
    /// What the SQL asks for: one row more than the page, to know whether another page follows.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

impl PageQuery {
    /// Checks limit and cursor; 422 names the parameter.
    pub fn request<K: DeserializeOwned>(&self) -> Result<PageRequest<K>, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if limit == 0 || limit > MAX_LIMIT {
            return Err(refuse(
                "/limit",
                Text::new("每页条数必须在 1 到 200 之间。", "The limit must be between 1 and 200."),
            ));
        }
        let after = match &self.after {
            None => None,
            Some(cursor) => Some(decode(cursor).ok_or_else(|| {
                refuse(
                    "/after",
                    Text::new(
                        "分页游标不正确，请使用上一页返回的 next。",
                        "The cursor is not one of ours; use the next of the page before.",
                    ),
                )
            })?),
        };
        Ok(PageRequest { limit, after })
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page out of the rows that `PageRequest::fetch` asked for.
    pub fn new<K: Serialize>(mut rows: Vec<T>, request: &PageRequest<K>, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::from(request.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(|row| encode(&key(row))) } else { None };
        Self { items: rows, next }
    }

    /// The same page with other rows.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// The cursor of a key.
pub fn encode<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(cursor: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn refuse(pointer: &str, text: Text) -> Problem {
    Problem::new(ProblemKind::InvalidFields, Text::new("查询参数不正确。", "The query parameters are not right."))
        .field(pointer, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_gap_and_without_repeat() {
        let all: Vec<(i64, u32)> = (0..7).map(|n| (n / 2, u32::try_from(n).unwrap())).collect();
        let mut query = PageQuery { limit: Some(3), after: None };
        let mut seen = Vec::new();
        loop {
            let request = query.request::<(i64, u32)>().unwrap();
            let rows: Vec<_> = all
                .iter()
                .copied()
                .filter(|row| request.after.is_none_or(|after| *row > after))
                .take(usize::try_from(request.fetch()).unwrap())
                .collect();
            let page = Page::new(rows, &request, |row| *row);
            assert!(page.items.len() <= 3);
            seen.extend(page.items);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn wrong_limits_and_foreign_cursors_are_refused() {
        for (limit, after) in [(Some(0), None), (Some(201), None), (None, Some("xx!")), (None, Some("WzFd"))] {
            let query = PageQuery { limit, after: after.map(str::to_owned) };
            assert!(query.request::<(i64, u32)>().is_err(), "{query:?}");
        }
    }
}
