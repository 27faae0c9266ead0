-- What people must do because a clock said so (待办事项): one row for each proposed step of the ladder and each look-back
-- that is owed. Copies of what deadlines says; nothing is decided here.
CREATE TABLE assignments (
    assignment_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('interview', 'circular', 'accountability', 'look_back')),
    state text NOT NULL CHECK (state IN ('open', 'done', 'lifted', 'moot')),
    rectification_id uuid NOT NULL,
    -- The version of the rectification that says where it stands.
    version bigint NOT NULL CHECK (version > 0),
    proposal_id uuid UNIQUE,
    item_id uuid,
    level smallint,
    case_id uuid NOT NULL,
    case_title text NOT NULL,
    letter_no text NOT NULL,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    county_code text,
    county_name text,
    -- Areas from the province down to the office in charge: the scope of permissions.
    area_path uuid[] NOT NULL,
    item_numbers integer[] NOT NULL,
    since timestamptz NOT NULL,
    due timestamptz NOT NULL,
    done_at timestamptz,
    note text,
    -- What only the event says that brought it; for a step it may come after the decision.
    article text,
    policy_facts text[] NOT NULL DEFAULT '{}',
    facts jsonb NOT NULL DEFAULT '[]',
    CHECK ((state = 'open') = (done_at IS NULL)),
    CHECK (CASE kind WHEN 'look_back' THEN item_id IS NOT NULL AND num_nonnulls(proposal_id, level) = 0
                     ELSE item_id IS NULL AND num_nonnulls(proposal_id, level) = 2 END)
);
CREATE INDEX assignments_due_idx ON assignments (due, assignment_id);
CREATE INDEX assignments_area_path_idx ON assignments USING gin (area_path);

-- What was heard of the look-backs of an item, in whatever order it came: where each of them stands follows from all of it.
CREATE TABLE look_back_histories (
    item_id uuid PRIMARY KEY,
    history jsonb NOT NULL
);
