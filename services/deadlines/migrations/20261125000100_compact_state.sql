-- The state of a rectification becomes compact and stands alone in a narrow, busy table; what never changes (the letter, who
-- may see it) stands beside it. A storm of a hundred thousand then rewrites one short row with two indexes for each case
-- instead of a dossier of many kilobytes with six. Items and timers are read from the state by views, never written twice.
--
-- No release has stored rectifications in the old form. Rather than guess, refuse.
DO $$
BEGIN
    IF EXISTS (SELECT FROM rectifications) THEN
        RAISE EXCEPTION 'this database holds rectifications of a version before 0.1'
            USING HINT = 'It was made by an unreleased build: drop the database deadlines and replay the journals of tasks and notifications.';
    END IF;
END
$$;

DROP TABLE fired_timers, timers, items, deadlines, urging_orders, evidence, rectifications;

-- What a case begins with and never changes (卷宗).
CREATE TABLE dossiers (
    rectification_id uuid PRIMARY KEY,
    letter_id uuid NOT NULL,
    -- The unit's case because of which the competent department's case was opened (连带责任).
    liable_for uuid,
    letter json NOT NULL,
    agency_area_code text NOT NULL,
    agency_key text NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    reader_ids uuid[] NOT NULL,
    county_code text,
    search_text text NOT NULL,
    received_at timestamptz NOT NULL
);
-- A letter opens one case, and at most one more for the competent department.
CREATE UNIQUE INDEX dossiers_letter_id_idx ON dossiers (letter_id) WHERE liable_for IS NULL;
CREATE UNIQUE INDEX dossiers_liable_for_idx ON dossiers (liable_for) WHERE liable_for IS NOT NULL;
CREATE INDEX dossiers_received_at_idx ON dossiers (received_at DESC, rectification_id);
CREATE INDEX dossiers_area_path_idx ON dossiers USING gin (area_path);
CREATE INDEX dossiers_unit_ids_idx ON dossiers USING gin (unit_ids);

-- Where a case stands: the domain's state as JSON text (text, not jsonb: it is read and written whole), and beside it what
-- queries need. next_timer_at is the one armed instant of the case.
CREATE TABLE rectifications (
    rectification_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    state text NOT NULL,
    people jsonb NOT NULL DEFAULT '{}',
    next_timer_at timestamptz,
    -- From when on the unit is late with an item that it still owes.
    late_from timestamptz,
    closed_at timestamptz,
    changed_at timestamptz NOT NULL,
    -- Set aside with a cause, when the rules cannot decide.
    stuck_at timestamptz,
    stuck_cause text,
    -- An open case always has an armed instant: nothing waits without a clock.
    CONSTRAINT an_open_case_is_armed CHECK (closed_at IS NOT NULL OR next_timer_at IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX rectifications_next_timer_at_idx ON rectifications (next_timer_at) WHERE next_timer_at IS NOT NULL;
CREATE INDEX rectifications_stuck_at_idx ON rectifications (stuck_at) WHERE stuck_at IS NOT NULL;

-- Proof sheets (期限计算书), each text once: the limits of a storm share theirs.
CREATE TABLE sheets (
    sheet_id uuid PRIMARY KEY,
    proof text NOT NULL
);

-- Every limit that a unit was ever told, and the days by which a plan was due.
CREATE TABLE deadlines (
    deadline_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL,
    item_id uuid NOT NULL,
    round integer NOT NULL,
    basis text NOT NULL,
    set_at timestamptz NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    provisional boolean NOT NULL,
    sheet_id uuid NOT NULL
);

CREATE TABLE urging_orders (
    urging_order_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL,
    sequence integer NOT NULL,
    agency_word text NOT NULL,
    kind_word text NOT NULL,
    year smallint NOT NULL,
    serial integer NOT NULL,
    doc_no text NOT NULL,
    issued_at timestamptz NOT NULL,
    fact json NOT NULL,
    content text NOT NULL,
    content_sha256 text NOT NULL,
    UNIQUE (agency_word, kind_word, year, serial)
);
-- The identity of an order follows from rectification and sequence, so its primary key keeps a step from being taken twice.
CREATE INDEX urging_orders_rectification_id_idx ON urging_orders (rectification_id);

CREATE TABLE evidence (
    file_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    item_id uuid,
    sha256 text NOT NULL,
    media_type text NOT NULL,
    bytes bigint NOT NULL,
    name text NOT NULL,
    uploaded_by uuid NOT NULL,
    uploader_name text NOT NULL,
    uploaded_at timestamptz NOT NULL
);
CREATE INDEX evidence_rectification_id_idx ON evidence (rectification_id);

-- The parts of the state, for queries and for operators; never written.
CREATE VIEW timers AS
SELECT r.rectification_id,
       t.value ->> 'kind' AS kind,
       (t.value ->> 'item')::integer AS number,
       (t.value ->> 'round')::integer AS round,
       (t.value ->> 'step')::integer AS step,
       (t.value ->> 'due_at')::timestamptz AS due_at
FROM rectifications r, json_array_elements(r.state::json -> 'timers') t;

CREATE VIEW items AS
SELECT r.rectification_id,
       (i.value ->> 'item_id')::uuid AS item_id,
       (i.value ->> 'number')::integer AS number,
       i.value ->> 'severity' AS severity,
       i.value -> 'state' ->> 'state' AS state,
       (i.value -> 'state' ->> 'state') IN ('in_progress', 'returned') AS awaits_unit,
       (i.value -> 'limits' -> -1 ->> 'due_on')::date AS due_on,
       (i.value -> 'limits' -> -1 ->> 'due_at')::timestamptz AS due_at,
       coalesce((i.value ->> 'ladder_level')::integer, 0) AS ladder_level,
       coalesce(json_array_length(i.value -> 'urged'), 0) AS urging_orders
FROM rectifications r, json_array_elements(r.state::json -> 'items') i;
