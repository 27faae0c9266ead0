-- Waivers, pauses, reopened items, decided steps and joint liability: what the newest snapshots say beyond the first form.
ALTER TABLE ledger_rows
    DROP CONSTRAINT ledger_rows_state_check,
    ADD CONSTRAINT ledger_rows_state_check CHECK (state IN ('in_progress', 'reported', 'verified', 'closed', 'waived')),
    -- The clock is stopped (期限中止).
    ADD COLUMN paused boolean NOT NULL DEFAULT false,
    -- Times that a look-back opened it anew (反弹次数).
    ADD COLUMN reopened integer NOT NULL DEFAULT 0,
    ADD COLUMN extensions integer NOT NULL DEFAULT 0,
    -- The competent department's own case (连带责任).
    ADD COLUMN joint_liability boolean NOT NULL DEFAULT false,
    -- The newest step of each level on it, as `deadlines` tells it; null without one.
    ADD COLUMN interview jsonb,
    ADD COLUMN circular jsonb,
    ADD COLUMN accountability jsonb;

-- Steps stand in the snapshot now.
DROP TABLE proposed_steps;

-- Results of look-backs (回头看) are no part of a snapshot and may come before it. The first one that found the problem back
-- after an urging order ends what that order said about the item.
CREATE TABLE look_backs (
    item_id uuid NOT NULL,
    found_at timestamptz NOT NULL,
    passed boolean NOT NULL,
    PRIMARY KEY (item_id, found_at)
);

DROP FUNCTION item_is_late(text, timestamptz, timestamptz, timestamptz, timestamptz);
DROP FUNCTION item_is_due_soon(text, timestamptz, date, timestamptz, timestamptz, timestamptz, integer);
DROP FUNCTION item_is_judged(boolean, timestamptz, date, timestamptz);

-- Late (逾期): the unit owes a report, its clock is not stopped, and the limit in force has passed or an urging order was
-- issued and no report came since.
CREATE FUNCTION item_is_late(l ledger_rows, now_at timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN (l).state = 'in_progress' AND NOT (l).paused AND ((l).due_at <= now_at
    OR ((l).urged_at IS NOT NULL AND ((l).reported_at IS NULL OR (l).reported_at < (l).urged_at)));

-- Due soon (临期): the unit owes a report, its clock runs, it is not late, and the last day is today or one of the next days.
CREATE FUNCTION item_is_due_soon(l ledger_rows, now_at timestamptz, days integer)
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN (l).state = 'in_progress' AND NOT (l).paused AND NOT item_is_late(l, now_at)
    AND (l).due_on <= (now_at AT TIME ZONE 'Asia/Shanghai')::date + days;

-- Judged (应报告): reported at least once, ever late, or the limit in force has passed without a report.
CREATE FUNCTION item_is_judged(l ledger_rows, now_at timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN (l).ever_late OR (l).reported_at IS NOT NULL OR item_is_late(l, now_at);

-- The newest step of a level that names the item.
CREATE FUNCTION newest_step(snapshot jsonb, item_number integer, step_level integer)
RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN (SELECT s FROM jsonb_array_elements(snapshot->'steps') AS s
    WHERE (s->>'level')::integer = step_level AND s->'items' @> to_jsonb(item_number)
    ORDER BY (s->>'proposed_at')::timestamptz DESC LIMIT 1);
