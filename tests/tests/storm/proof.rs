//! The proof, read from the database.

use anyhow::ensure;
use clockwork::invariants;
use postgres::Database;

use crate::replicas::Replicas;
use crate::templates::{Ready, STORM};

/// The journal's events of orders.
const ORDER: &str = "event_type = 'deadlines.urging_order.issued.v1'";

/// Everything: each statement counts what must not be, or what must be so many.
pub async fn all(replicas: &Replicas, ready: &Ready) -> anyhow::Result<()> {
    let Ready { cases, items, templates } = *ready;
    let storm = format!("'{STORM}'::timestamptz");
    let statements: [(&str, i64, String); 14] = [
        ("orders", cases, "SELECT count(*) FROM urging_orders".to_owned()),
        ("cases with an order", cases, "SELECT count(DISTINCT rectification_id) FROM urging_orders".to_owned()),
        (
            "items on exactly one order, by the cases",
            items,
            "SELECT count(*) FROM items WHERE urging_orders = 1".to_owned(),
        ),
        (
            "items on exactly one order, by the orders",
            items,
            "SELECT count(*) FROM (
                 SELECT o.rectification_id, (i.value ->> 'number')::integer AS number
                 FROM urging_orders o, json_array_elements(o.content::json #> '{body,urging_order,late_items}') i
                 GROUP BY 1, 2 HAVING count(*) = 1) listed
             JOIN items USING (rectification_id, number)"
                .to_owned(),
        ),
        (
            "series with a gap or a number taken twice",
            0,
            "SELECT count(*) FROM (
                 SELECT agency_word, kind_word, year FROM urging_orders GROUP BY agency_word, kind_word, year
                 HAVING min(serial) <> 1 OR max(serial) <> count(*) OR count(DISTINCT serial) <> count(*)) g"
                .to_owned(),
        ),
        (
            "registers of numbers that say something else",
            0,
            "SELECT count(*) FROM number_series s FULL JOIN (
                 SELECT agency_word, kind_word, year, max(serial) AS last FROM urging_orders
                 GROUP BY agency_word, kind_word, year) o USING (agency_word, kind_word, year)
             WHERE s.last IS DISTINCT FROM o.last"
                .to_owned(),
        ),
        ("series", 5, "SELECT count(*) FROM number_series".to_owned()),
        ("journal events of an order", cases, format!("SELECT count(*) FROM messaging.journal WHERE {ORDER}")),
        (
            "orders whose journal event says what is stored",
            cases,
            format!(
                "WITH told AS MATERIALIZED (
                     SELECT aggregate_id, (payload::json ->> 'urging_order_id')::uuid AS urging_order_id,
                            payload::json #> '{{rectification,urging_orders}}' AS orders
                     FROM messaging.journal WHERE {ORDER})
                 SELECT count(*) FROM told t JOIN urging_orders o USING (urging_order_id)
                 WHERE o.rectification_id = t.aggregate_id
                   AND o.doc_no = t.orders -> json_array_length(t.orders) - 1 -> 'document' ->> 'doc_no'"
            ),
        ),
        (
            "cases whose version is not the one of their order's event",
            0,
            format!(
                "SELECT count(*) FROM rectifications r LEFT JOIN messaging.journal j
                     ON j.aggregate_id = r.rectification_id AND j.{ORDER}
                 WHERE j.aggregate_version IS DISTINCT FROM r.version"
            ),
        ),
        // An event for each order, and what the templates had been told before.
        ("journal events", cases + 2 * templates, "SELECT count(*) FROM messaging.journal".to_owned()),
        (
            "open cases without the one armed instant that lies ahead",
            0,
            "SELECT count(*) FROM rectifications r
             WHERE r.closed_at IS NULL
               AND (r.next_timer_at IS DISTINCT FROM
                        (SELECT min(due_at) FROM timers t WHERE t.rectification_id = r.rectification_id)
                    OR r.next_timer_at <= messaging.legal_now() OR r.stuck_at IS NOT NULL)"
                .to_owned(),
        ),
        (
            "orders issued before they were due, or not marked with how late they are",
            0,
            format!(
                "SELECT count(*) FROM urging_orders
                 WHERE issued_at < {storm}
                    OR lateness_seconds <> floor(extract(epoch FROM issued_at - {storm}))"
            ),
        ),
        (
            "limits set by the orders, one for each item",
            items,
            format!("SELECT count(DISTINCT item_id) FROM deadlines WHERE basis = 'urging_order' AND set_at >= {storm}"),
        ),
    ];
    // A server that was shot all the time has counted little, and would plan the proof for tables of another size.
    sqlx::raw_sql("ANALYZE").execute(&replicas.pool).await?;
    for (what, expected, query) in statements {
        let found: i64 = replicas.value(&query).await?;
        ensure!(found == expected, "{found} {what}, there should be {expected}");
    }
    // And what is proved every night: versions from 1 without gap among it, and nothing due for more than a minute.
    let mut tx = Database::from_pool(replicas.pool.clone()).begin().await?;
    let at = tx.at();
    let proof = invariants::prove(&mut tx, at).await?;
    let broken: Vec<_> = proof.findings.iter().filter(|finding| finding.violations > 0).collect();
    ensure!(broken.is_empty(), "broken invariants: {broken:?}");
    Ok(())
}
