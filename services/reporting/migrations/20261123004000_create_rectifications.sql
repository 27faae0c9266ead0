-- The newest snapshot of every rectification, and of the ledger one row per item. Everything here can be made again
-- from the events, in any order.
CREATE TABLE rectifications (
    rectification_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    snapshot jsonb NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    reader_ids uuid[] NOT NULL,
    county_code text,
    urging_orders integer NOT NULL
);
CREATE INDEX rectifications_area_path_idx ON rectifications USING gin (area_path);

CREATE TABLE ledger_rows (
    item_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    number integer NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    reader_ids uuid[] NOT NULL,
    case_title text NOT NULL,
    supervision_kind text NOT NULL,
    visited_on date NOT NULL,
    county_code text,
    county_name text NOT NULL,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    unit_code text,
    description text NOT NULL,
    category text NOT NULL,
    severity text NOT NULL,
    basis text NOT NULL,
    demand text NOT NULL,
    responsible_unit_name text NOT NULL,
    competent_unit_name text,
    letter_no text NOT NULL,
    letter_issued_at timestamptz NOT NULL,
    first_due_on date NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    provisional boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('in_progress', 'reported', 'verified', 'closed')),
    ever_late boolean NOT NULL,
    reported_at timestamptz,
    report text,
    verified_at timestamptz,
    verified_by text,
    closed_at timestamptz,
    returned integer NOT NULL,
    urging_order_no text,
    -- Legal time of the newest urging order on it.
    urged_at timestamptz
);
CREATE INDEX ledger_rows_order_idx ON ledger_rows (letter_issued_at, rectification_id, number);
CREATE INDEX ledger_rows_rectification_id_idx ON ledger_rows (rectification_id);
CREATE INDEX ledger_rows_area_path_idx ON ledger_rows USING gin (area_path);
CREATE INDEX ledger_rows_unit_ids_idx ON ledger_rows USING gin (unit_ids);
CREATE INDEX ledger_rows_reader_ids_idx ON ledger_rows USING gin (reader_ids);
CREATE INDEX ledger_rows_county_code_idx ON ledger_rows (county_code);

-- Facts that are no part of a snapshot. They may come before the rectification itself, so nothing refers to it.
CREATE TABLE proposed_steps (
    item_id uuid NOT NULL,
    level smallint NOT NULL,
    proposed_at timestamptz NOT NULL,
    PRIMARY KEY (item_id, level)
);

CREATE TABLE public_pages (
    rectification_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    path text NOT NULL
);

-- The definitions that ledger, export and statistics share; crates and pages print them in words.

-- Late (逾期): the unit owes a report, and the limit in force has passed or an urging order was issued and no report came since.
CREATE FUNCTION item_is_late(state text, due_at timestamptz, urged_at timestamptz, reported_at timestamptz, now_at timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN state = 'in_progress' AND (due_at <= now_at OR (urged_at IS NOT NULL AND (reported_at IS NULL OR reported_at < urged_at)));

-- Due soon (临期): the unit owes a report, is not late, and the last day is today or one of the next days.
CREATE FUNCTION item_is_due_soon(state text, due_at timestamptz, due_on date, urged_at timestamptz, reported_at timestamptz, now_at timestamptz, days integer)
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN state = 'in_progress' AND due_at > now_at AND NOT (urged_at IS NOT NULL AND (reported_at IS NULL OR reported_at < urged_at))
    AND due_on <= (now_at AT TIME ZONE 'Asia/Shanghai')::date + days;

-- Judged (应报告): reported at least once, ever late, or the first limit has passed.
CREATE FUNCTION item_is_judged(ever_late boolean, reported_at timestamptz, first_due_on date, now_at timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN ever_late OR reported_at IS NOT NULL OR first_due_on < (now_at AT TIME ZONE 'Asia/Shanghai')::date;
