-- The dossier is the whole truth of one rectification; the other tables repeat parts of it for clocks, lists and proofs.
CREATE TABLE rectifications (
    rectification_id uuid PRIMARY KEY,
    letter_id uuid NOT NULL UNIQUE,
    version bigint NOT NULL,
    dossier jsonb NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    reader_ids uuid[] NOT NULL,
    county_code text,
    search_text text NOT NULL,
    received_at timestamptz NOT NULL,
    closed_at timestamptz,
    next_timer_at timestamptz,
    changed_at timestamptz NOT NULL
);
-- What is due is found here, however many are not.
CREATE INDEX rectifications_next_timer_at_idx ON rectifications (next_timer_at) WHERE next_timer_at IS NOT NULL;
CREATE INDEX rectifications_received_at_idx ON rectifications (received_at DESC, rectification_id);
CREATE INDEX rectifications_area_path_idx ON rectifications USING gin (area_path);
CREATE INDEX rectifications_unit_ids_idx ON rectifications USING gin (unit_ids);

CREATE TABLE items (
    item_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    number integer NOT NULL,
    state text NOT NULL,
    awaits_unit boolean NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    UNIQUE (rectification_id, number)
);

-- Every limit that a unit was ever told, with the text of its proof sheet, byte for byte.
CREATE TABLE deadlines (
    deadline_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    item_id uuid NOT NULL,
    round integer NOT NULL,
    basis text NOT NULL,
    set_at timestamptz NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    provisional boolean NOT NULL,
    proof text NOT NULL,
    UNIQUE (item_id, round)
);

CREATE TABLE timers (
    timer_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    item_id uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL
);
CREATE INDEX timers_rectification_id_idx ON timers (rectification_id);
CREATE INDEX timers_due_at_idx ON timers (due_at);

-- A timer fires once: its row moves here in the transaction of its effect.
CREATE TABLE fired_timers (
    timer_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL,
    item_id uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    CHECK (fired_at >= due_at)
);

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
