CREATE TABLE cases (
    case_id uuid PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0),
    state text NOT NULL,
    supervision_kind text NOT NULL CHECK (supervision_kind IN ('comprehensive', 'special', 'regular', 'emergency')),
    title text NOT NULL,
    unit_id uuid NOT NULL,
    plan_id uuid REFERENCES plans,
    -- The agency's areas, from the province down: who of the offices may act.
    agency_area_path uuid[] NOT NULL,
    -- Where the case is visible: the agency's areas while it is prepared, the unit's once it has been told.
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    reader_ids uuid[] NOT NULL,
    -- The persons of the group.
    team_ids uuid[] NOT NULL,
    -- The whole record as the use cases load and save it.
    record jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX cases_created_at_idx ON cases (created_at DESC, case_id DESC);
CREATE INDEX cases_unit_id_idx ON cases (unit_id);
CREATE INDEX cases_area_path_idx ON cases USING gin (area_path);
CREATE INDEX cases_unit_ids_idx ON cases USING gin (unit_ids);
CREATE INDEX cases_team_ids_idx ON cases USING gin (team_ids);

-- Which files are evidence of a case: hash, time and author cannot be changed afterwards.
CREATE TABLE evidence (
    case_id uuid NOT NULL REFERENCES cases,
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    bytes bigint NOT NULL,
    media_type text NOT NULL,
    name text NOT NULL,
    uploaded_at timestamptz NOT NULL,
    uploaded_by uuid NOT NULL,
    uploader_name text NOT NULL,
    PRIMARY KEY (case_id, sha256)
);
CREATE INDEX evidence_sha256_idx ON evidence (sha256);

-- What happened to a case, step by step, with who and when: the audit of what no other service needs to hear.
CREATE TABLE case_events (
    case_id uuid NOT NULL REFERENCES cases,
    version bigint NOT NULL,
    number integer NOT NULL,
    event jsonb NOT NULL,
    actor jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, version, number)
);
CREATE FUNCTION refuse_case_event_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a case is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER case_events_are_append_only BEFORE UPDATE OR DELETE ON case_events
    FOR EACH ROW EXECUTE FUNCTION refuse_case_event_change();
