//! What must hold of every case at every moment, as one statement each (死人开关式证明).
//!
//! A statement gives the names of what breaks its invariant; none is the proof. Each is a single statement, so it sees one
//! moment of the database, whatever fires meanwhile.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::{AssertSqlSafe, PgConnection};

/// How many names of offenders are kept for each invariant.
const NAMED: usize = 20;

/// Something that always holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invariant {
    /// The stable key, as in the metric.
    pub name: &'static str,
    /// What it proves, in Simplified Chinese.
    pub zh: &'static str,
    /// What it proves, in English.
    pub en: &'static str,
    /// Gives a column `id` with the name of each offender; `$1` is legal time.
    offenders: &'static str,
}

/// What was found of one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The invariant.
    pub invariant: Invariant,
    /// How many break it.
    pub violations: i64,
    /// The names of the first of them.
    pub offenders: Vec<String>,
}

/// How many things were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Extent {
    /// Cases that are open.
    pub open_cases: i64,
    /// Cases that are closed.
    pub closed_cases: i64,
    /// Limits that were told.
    pub limits: i64,
    /// Urging orders that were issued.
    pub urging_orders: i64,
}

/// A proof that was made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Legal time.
    pub at: Timestamp,
    /// How much was looked at.
    pub extent: Extent,
    /// What was found, in the order of [`ALL`].
    pub findings: Vec<Finding>,
}

impl Proof {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.violations == 0)
    }
}

/// Every invariant.
pub const ALL: &[Invariant] = &[
    Invariant {
        name: "armed",
        zh: "每个未办结的整改恰有一个待触发时刻，与其定时器的最早时刻一致",
        en: "every open case has exactly one armed instant, the earliest of its timers",
        offenders: "SELECT r.rectification_id::text AS id FROM rectifications r
            WHERE (r.closed_at IS NULL AND r.next_timer_at IS NULL)
               OR r.next_timer_at IS DISTINCT FROM
                  (SELECT min((t ->> 'due_at')::timestamptz) FROM json_array_elements(r.state::json -> 'timers') t)",
    },
    Invariant {
        name: "fired",
        zh: "没有任何到期事项超过一分钟未触发",
        en: "nothing that is due has been unfired for more than a minute",
        offenders: "SELECT rectification_id::text AS id FROM rectifications
            WHERE next_timer_at < $1 - interval '1 minute' AND stuck_at IS NULL",
    },
    Invariant {
        name: "urged_listed",
        zh: "整改事项上的每个督办标记恰有一份列有该事项的督办单，反之亦然",
        en: "every mark of urging on an item has exactly one order that lists it, and the other way round",
        offenders: "WITH mark AS (
                SELECT r.rectification_id, i ->> 'number' AS number, m ->> 'order_id' AS order_id, count(*) AS n
                FROM rectifications r, json_array_elements(r.state::json -> 'items') i, json_array_elements(i -> 'urged') m
                GROUP BY 1, 2, 3
            ), listed AS (
                SELECT o.rectification_id, l ->> 'number' AS number, o.urging_order_id::text AS order_id, count(*) AS n
                FROM urging_orders o, json_array_elements(o.content::json #> '{body,urging_order,late_items}') l
                GROUP BY 1, 2, 3
            )
            SELECT DISTINCT rectification_id::text AS id
            FROM mark FULL JOIN listed USING (rectification_id, number, order_id)
            WHERE mark.n IS DISTINCT FROM 1 OR listed.n IS DISTINCT FROM 1",
    },
    Invariant {
        name: "order_journalled",
        zh: "每份督办单在事件日志中恰有一条印发记录",
        en: "every urging order has exactly one event in the journal",
        offenders: "SELECT id FROM (SELECT urging_order_id::text AS id, true AS issued FROM urging_orders) o
            FULL JOIN (
                SELECT payload::json ->> 'urging_order_id' AS id, count(*) AS n
                FROM messaging.journal WHERE event_type = 'deadlines.urging_order.issued.v1' GROUP BY 1
            ) j USING (id)
            WHERE o.issued IS NULL OR j.n IS DISTINCT FROM 1",
    },
    Invariant {
        name: "order_count",
        zh: "每个整改的督办单份数和次序与其状态一致",
        en: "the orders of a case are as many, and in the order, as its state says",
        offenders: "SELECT r.rectification_id::text AS id
            FROM rectifications r
            LEFT JOIN (
                SELECT rectification_id, count(*) AS n, min(sequence) AS first, max(sequence) AS last
                FROM urging_orders GROUP BY 1
            ) o USING (rectification_id)
            WHERE coalesce((r.state::json ->> 'urging_orders')::bigint, 0) <> coalesce(o.n, 0)
               OR o.first <> 1 OR o.last <> o.n",
    },
    Invariant {
        name: "numbers",
        zh: "每个机关、每类文书、每个年度的文号自1起连续，无空号、无重号",
        en: "the numbers of an agency, kind and year run from 1 to the last without gap",
        offenders: "SELECT concat_ws('/', agency_word, kind_word, year) AS id
            FROM number_series s
            FULL JOIN (
                SELECT agency_word, kind_word, year, count(*) AS n, min(serial) AS first, max(serial) AS last
                FROM (
                    SELECT agency_word, kind_word, year, serial FROM urging_orders
                    UNION ALL SELECT agency_word, kind_word, year, serial FROM documents
                ) numbered GROUP BY 1, 2, 3
            ) o USING (agency_word, kind_word, year)
            WHERE s.last IS DISTINCT FROM o.last OR o.first <> 1 OR o.n <> o.last",
    },
    Invariant {
        name: "versions",
        zh: "每个整改在事件日志中的版本自1起连续，直至当前版本",
        en: "the journal has every version of a case, from 1 to the present one",
        offenders: "SELECT r.rectification_id::text AS id
            FROM rectifications r
            LEFT JOIN (
                SELECT aggregate_id, count(DISTINCT aggregate_version) AS n, min(aggregate_version) AS first,
                       max(aggregate_version) AS last
                FROM messaging.journal GROUP BY 1
            ) j ON j.aggregate_id = r.rectification_id
            WHERE j.n IS DISTINCT FROM r.version OR j.first <> 1 OR j.last <> r.version",
    },
    Invariant {
        name: "never_earlier",
        zh: "已告知的期限从未提前",
        en: "no limit that a unit was told has moved earlier",
        offenders: "SELECT DISTINCT l.rectification_id::text AS id
            FROM (
                SELECT r.rectification_id, l ->> 'adjusted' AS adjusted, b.binding, (l ->> 'due_at')::timestamptz AS due_at,
                       lag((l ->> 'due_at')::timestamptz) OVER (PARTITION BY r.rectification_id, i.n ORDER BY k.n) AS before,
                       lag((l ->> 'due_at')::timestamptz)
                           OVER (PARTITION BY r.rectification_id, i.n, b.binding ORDER BY k.n) AS alike_before
                FROM rectifications r,
                     json_array_elements(r.state::json -> 'items') WITH ORDINALITY AS i(i, n),
                     json_array_elements(i.i -> 'limits') WITH ORDINALITY AS k(l, n),
                     LATERAL (SELECT l ->> 'basis' IN ('letter', 'returned', 'extended', 'reopened', 'joint_liability')
                                  AS binding) b
            ) l
            WHERE l.adjusted IS DISTINCT FROM 'kept'
              AND ((l.binding AND l.due_at < l.alike_before) OR (l.adjusted IS NOT NULL AND l.due_at < l.before))",
    },
    Invariant {
        name: "sheets",
        zh: "每个期限都有计算书，登记的日期与其状态一致",
        en: "every limit has its proof sheet, and stands in the register as in the state",
        offenders: "SELECT r.rectification_id::text AS id
            FROM rectifications r
            CROSS JOIN json_array_elements(r.state::json -> 'items') i
            CROSS JOIN json_array_elements(i -> 'limits') l
            LEFT JOIN deadlines d ON d.rectification_id = r.rectification_id
                 AND d.item_id = (i ->> 'item_id')::uuid AND d.round = (l ->> 'round')::integer
            LEFT JOIN sheets s ON s.sheet_id = (l ->> 'sheet')::uuid
            WHERE s.sheet_id IS NULL OR d.deadline_id IS NULL OR d.sheet_id <> s.sheet_id
               OR d.due_at <> (l ->> 'due_at')::timestamptz
            UNION
            SELECT r.rectification_id::text
            FROM rectifications r, json_array_elements(r.state::json -> 'items') i
            WHERE i -> 'plan' ->> 'sheet' IS NOT NULL
              AND NOT EXISTS (SELECT FROM sheets s WHERE s.sheet_id = (i -> 'plan' ->> 'sheet')::uuid)",
    },
    Invariant {
        name: "calendars",
        zh: "计算书所用的每个日历版本都有留存，可随时重算",
        en: "every calendar version that a sheet names is kept, so that the sheet can be computed again",
        offenders: "SELECT DISTINCT proof::json ->> 'calendar_version' AS id FROM sheets
            WHERE NOT EXISTS (SELECT FROM calendars c WHERE c.version = proof::json ->> 'calendar_version')",
    },
    Invariant {
        name: "linked",
        zh: "连带责任的两个整改互相关联，同时办结",
        en: "the two cases of a joint liability name each other and are closed at one instant",
        offenders: "WITH linked AS (
                SELECT rectification_id, closed_at, state::json -> 'link' ->> 'link' AS side,
                       (state::json -> 'link' ->> 'rectification_id')::uuid AS other,
                       EXISTS (SELECT FROM json_array_elements(state::json -> 'items') i
                               WHERE coalesce((i ->> 'reopened')::integer, 0) > 0) AS reopened
                FROM rectifications WHERE state::json -> 'link' IS NOT NULL
            )
            SELECT a.rectification_id::text AS id
            FROM linked a
            LEFT JOIN linked b ON b.rectification_id = a.other AND b.other = a.rectification_id AND b.side <> a.side
            LEFT JOIN dossiers d ON d.rectification_id = a.rectification_id
            WHERE b.rectification_id IS NULL
               OR (a.closed_at IS DISTINCT FROM b.closed_at AND NOT a.reopened AND NOT b.reopened)
               OR (CASE WHEN a.side = 'unit' THEN a.other END) IS DISTINCT FROM d.liable_for",
    },
    Invariant {
        name: "closed",
        zh: "整改办结当且仅当其事项全部办结（连带责任的须等待对方）",
        en: "a case is closed when, and only when, all its items are done (a linked one waits for its counterpart)",
        offenders: "SELECT r.rectification_id::text AS id
            FROM rectifications r, LATERAL (
                SELECT bool_and(i -> 'state' ->> 'state' IN ('closed', 'waived')) AS done
                FROM json_array_elements(r.state::json -> 'items') i
            ) i
            WHERE (r.closed_at IS NOT NULL AND NOT i.done)
               OR (r.closed_at IS NULL AND i.done AND r.state::json -> 'link' IS NULL)",
    },
    Invariant {
        name: "moot",
        zh: "事项均已办结的升级措施、申请均已终结，无人需要再作决定",
        en: "nobody is asked to decide a step or a request of which every item is done",
        offenders: "SELECT r.rectification_id::text AS id
            FROM rectifications r, LATERAL (
                SELECT coalesce(array_agg(i ->> 'number'), '{}') AS numbers, coalesce(array_agg(i ->> 'item_id'), '{}') AS ids
                FROM json_array_elements(r.state::json -> 'items') i
                WHERE i -> 'state' ->> 'state' NOT IN ('closed', 'waived')
            ) open
            WHERE EXISTS (
                SELECT FROM json_array_elements(r.state::json -> 'steps') s
                WHERE s ->> 'outcome' = 'proposed'
                  AND NOT EXISTS (SELECT FROM json_array_elements_text(s -> 'items') n WHERE n = ANY(open.numbers))
            ) OR EXISTS (
                SELECT FROM json_array_elements(r.state::json -> 'requests') q
                WHERE (q ->> 'subject' IN ('extension', 'waiver') AND q ->> 'item_id' <> ALL(open.ids))
                   OR (q ->> 'subject' IN ('pause', 'resume') AND cardinality(open.ids) = 0)
            )",
    },
    Invariant {
        name: "counted",
        zh: "日历或规则变更生效十分钟后，所有未办结的整改均已按其重算",
        en: "ten minutes after a change of calendars or rules every open case has been counted by it",
        offenders: "SELECT r.rectification_id::text AS id
            FROM rectifications r JOIN rules_in_force f ON r.rules_version < f.version
            JOIN rule_changes c ON c.sequence = f.version
            WHERE r.closed_at IS NULL AND r.stuck_at IS NULL AND c.took_effect_at < $1 - interval '10 minutes'",
    },
    Invariant {
        name: "set_aside",
        zh: "没有整改因规则无法判定而搁置超过一小时",
        en: "no case has been set aside for more than an hour",
        offenders: "SELECT rectification_id::text AS id FROM rectifications WHERE stuck_since < $1 - interval '1 hour'",
    },
];

/// Proves every invariant at an instant of legal time.
pub async fn prove(connection: &mut PgConnection, at: Timestamp) -> Result<Proof, sqlx::Error> {
    let extent = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open_cases,
                count(*) FILTER (WHERE closed_at IS NOT NULL) AS closed_cases,
                (SELECT count(*) FROM deadlines) AS limits,
                (SELECT count(*) FROM urging_orders) AS urging_orders
         FROM rectifications",
    )
    .fetch_one(&mut *connection)
    .await?;
    let mut findings = Vec::with_capacity(ALL.len());
    for invariant in ALL {
        let statement = format!(
            "SELECT count(*), coalesce((array_agg(id ORDER BY id))[1:{NAMED}], '{{}}') FROM ({}) offenders
             WHERE $1::timestamptz IS NOT NULL",
            invariant.offenders
        );
        // Composed of constants of this file only.
        let (violations, offenders): (i64, Vec<String>) =
            sqlx::query_as(AssertSqlSafe(statement)).bind(at.to_sqlx()).fetch_one(&mut *connection).await?;
        findings.push(Finding { invariant: *invariant, violations, offenders });
    }
    Ok(Proof { at, extent, findings })
}

/// How the clock stands, cheap enough to ask every few seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// Cases with an armed instant.
    pub armed: i64,
    /// Cases with something due that has not fired.
    pub due_unfired: i64,
    /// Of these, how many for at most so many seconds; the bounds are [`AGES`].
    pub by_age: Vec<i64>,
}

/// Upper bounds of the ages of what is due and unfired, in seconds.
pub const AGES: [i32; 7] = [1, 5, 10, 60, 600, 3_600, 86_400];

/// Takes the pulse at an instant of legal time.
pub async fn pulse(connection: &mut PgConnection, at: Timestamp) -> Result<Pulse, sqlx::Error> {
    let (armed, due_unfired, by_age): (i64, i64, Vec<i64>) = sqlx::query_as(
        "WITH due AS (SELECT $1 - next_timer_at AS age FROM rectifications WHERE next_timer_at <= $1)
         SELECT (SELECT count(*) FROM rectifications WHERE next_timer_at IS NOT NULL),
                (SELECT count(*) FROM due),
                (SELECT array_agg((SELECT count(*) FROM due WHERE age <= make_interval(secs => b)) ORDER BY n)
                 FROM unnest($2::integer[]) WITH ORDINALITY AS bound(b, n))",
    )
    .bind(at.to_sqlx())
    .bind(AGES.as_slice())
    .fetch_one(connection)
    .await?;
    Ok(Pulse { armed, due_unfired, by_age })
}
