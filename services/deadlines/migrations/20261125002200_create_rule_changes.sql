-- Changes of calendars and rules: proposed, tried out on all live cases, approved by a second person, in effect by date.
CREATE TABLE rule_changes (
    change_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('calendar', 'rulebook')),
    -- The name of the calendar's layer, or the version of the rulebook.
    subject text NOT NULL,
    reason text NOT NULL,
    content text NOT NULL,
    -- What it took the place of; NULL until it takes effect, and when nothing stood there.
    former text,
    -- Whether live cases go over to a new rulebook; a calendar always counts for all.
    live_cases boolean NOT NULL,
    effective_on date NOT NULL,
    effective_at timestamptz NOT NULL,
    restores uuid REFERENCES rule_changes,
    state text NOT NULL CHECK (state IN ('proposed', 'approved', 'in_effect', 'withdrawn')),
    proposed_at timestamptz NOT NULL,
    proposed_by uuid NOT NULL,
    proposer_name text NOT NULL,
    dry_run_rules bigint,
    dry_run json,
    approved_at timestamptz,
    approved_by uuid,
    approver_name text,
    withdrawn_at timestamptz,
    withdrawn_by uuid,
    fault text,
    -- The version of the rules that began with it.
    sequence bigint UNIQUE,
    took_effect_at timestamptz,
    finished_at timestamptz,
    outcome json,
    -- Four eyes.
    CONSTRAINT nobody_approves_his_own CHECK (approved_by <> proposed_by),
    CONSTRAINT what_is_in_effect_was_approved CHECK (sequence IS NULL OR approved_by IS NOT NULL)
);
CREATE INDEX rule_changes_proposed_at_idx ON rule_changes (proposed_at DESC, change_id DESC);

-- What a change does to each case: as it was tried out, and as it happened.
CREATE TABLE rule_change_cases (
    change_id uuid NOT NULL REFERENCES rule_changes,
    run text NOT NULL CHECK (run IN ('dry', 'real')),
    rectification_id uuid NOT NULL,
    effects text[] NOT NULL,
    diff json NOT NULL,
    PRIMARY KEY (change_id, run, rectification_id)
);

-- The version of the rules in force, one row. Whoever decides about cases reads it in his transaction under a shared advisory
-- lock; a change takes effect under the exclusive one.
CREATE TABLE rules_in_force (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL
);
INSERT INTO rules_in_force (version) VALUES (0);

-- By which version of the rules an open case is counted.
ALTER TABLE rectifications ADD COLUMN rules_version bigint NOT NULL DEFAULT 0;

-- The province of an agency: changes of rules are its matter.
ALTER TABLE agencies ADD COLUMN province_area uuid;
