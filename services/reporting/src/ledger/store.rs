//! SQL of the ledger.

use access::Scope;
use contracts::deadlines::StepFact;
use domain::ids::{AreaId, UnitId};
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::Key;
use super::{DUE_SOON_DAYS, LedgerFilter, LedgerRow};

/// The rows in scope that pass the filter, in the order of the ledger, as they stand at `at`.
///
/// Without a limit it is the whole of them: the export reads the same statement to its end.
pub(crate) fn rows<'c>(
    tx: &'c mut PgConnection,
    scope: &Scope,
    filter: &LedgerFilter,
    at: Timestamp,
    after: Option<Key>,
    limit: Option<i64>,
) -> BoxStream<'c, sqlx::Result<LedgerRow>> {
    let areas: Vec<Uuid> = scope.areas.iter().map(AreaId::as_uuid).collect();
    let units: Vec<Uuid> = scope.units.iter().map(UnitId::as_uuid).collect();
    let words = filter.words.as_deref().map(like_pattern);
    let (after_at, after_id, after_number) = match after {
        Some((at, id, number)) => (Some(at.to_sqlx()), Some(id), Some(number)),
        None => (None, None, None),
    };
    sqlx::query_as!(
        LedgerRow,
        r#"SELECT l.item_id, l.rectification_id, l.number, l.letter_no || CASE WHEN l.joint_liability THEN '-连带' ELSE '' END || '-' || l.number AS "item_no!", l.case_title,
            l.supervision_kind,
            CASE l.supervision_kind WHEN 'comprehensive' THEN '综合督导' WHEN 'special' THEN '专项督导'
                WHEN 'regular' THEN '经常性督导' WHEN 'emergency' THEN '突发事件督导' ELSE l.supervision_kind
            END AS "supervision_kind_zh!",
            l.visited_on, l.county_code, l.county_name, l.unit_id, l.unit_name, l.unit_code, l.description, l.category,
            l.severity,
            CASE l.severity WHEN 'minor' THEN '一般' WHEN 'major' THEN '较大' WHEN 'serious' THEN '重大'
                WHEN 'immediate' THEN '危及生命安全' ELSE l.severity END AS "severity_zh!",
            l.basis, l.demand, l.responsible_unit_name, l.competent_unit_name, l.letter_no, l.letter_issued_at,
            (l.letter_issued_at AT TIME ZONE 'Asia/Shanghai')::date AS "letter_issued_on!",
            l.first_due_on, l.due_on, l.due_at, l.provisional, l.state,
            CASE l.state WHEN 'in_progress' THEN '整改中' WHEN 'reported' THEN '待核查' WHEN 'verified' THEN '待销号'
                WHEN 'waived' THEN '免于整改' ELSE '已销号' END AS "state_zh!",
            item_is_late(l, $1) AS "late!",
            item_is_due_soon(l, $1, $2) AS "due_soon!",
            l.reported_at, l.report, l.verified_at, l.verified_by, l.closed_at, l.returned, l.urging_order_no,
            l.paused, l.extensions, l.reopened, b.found_at AS "looked_back_at?", b.passed AS "look_back_passed?",
            l.joint_liability, l.interview AS "interview: Json<StepFact>", l.circular AS "circular: Json<StepFact>",
            l.accountability AS "accountability: Json<StepFact>",
            (SELECT p.path FROM public_pages p WHERE p.rectification_id = l.rectification_id) AS public_path
        FROM ledger_rows l
        LEFT JOIN LATERAL (SELECT found_at, passed FROM look_backs WHERE look_backs.item_id = l.item_id
            ORDER BY found_at DESC LIMIT 1) b ON true
        WHERE (l.area_path && $3 OR l.unit_ids && $4 OR l.reader_ids && $4)
            AND ($5::text IS NULL OR l.county_code = $5 OR ($5 = 'province' AND l.county_code IS NULL))
            AND CASE coalesce($6, 'all') WHEN 'all' THEN true
                WHEN 'open' THEN l.state NOT IN ('closed', 'waived')
                WHEN 'paused' THEN l.state = 'in_progress' AND l.paused
                WHEN 'reopened' THEN l.reopened > 0
                WHEN 'late' THEN item_is_late(l, $1)
                WHEN 'due_soon' THEN item_is_due_soon(l, $1, $2)
                ELSE l.state = $6 END
            AND ($7::text IS NULL OR l.unit_name ILIKE $7 OR l.description ILIKE $7 OR l.letter_no ILIKE $7
                OR l.urging_order_no ILIKE $7 OR l.case_title ILIKE $7)
            AND ($8::timestamptz IS NULL OR (l.letter_issued_at, l.rectification_id, l.number) > ($8, $9::uuid, $10::integer))
        ORDER BY l.letter_issued_at, l.rectification_id, l.number
        LIMIT $11"#,
        at.to_sqlx() as _,
        DUE_SOON_DAYS,
        &areas as _,
        &units as _,
        filter.county.as_deref() as _,
        filter.state.map(super::LedgerState::as_str) as _,
        words as _,
        after_at as _,
        after_id as _,
        after_number as _,
        limit as _,
    )
    .fetch(tx)
}

/// A pattern that finds the words as they are, whatever signs they contain.
fn like_pattern(words: &str) -> String {
    let mut pattern = String::with_capacity(words.len() + 2);
    pattern.push('%');
    for sign in words.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_patterns_are_taken_literally() {
        assert_eq!(like_pattern(r"50%_a\b"), r"%50\%\_a\\b%");
    }
}
