-- The policy itself: the province's implementation plan, its measures and who is responsible for each.
CREATE TABLE implementation_plans (
    key text PRIMARY KEY,
    content_sha256 text NOT NULL,
    document jsonb NOT NULL,
    goals jsonb NOT NULL,
    principles jsonb NOT NULL,
    loaded_at timestamptz NOT NULL
);

CREATE TABLE plan_measures (
    plan_key text NOT NULL REFERENCES implementation_plans,
    key text NOT NULL,
    position integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('measure', 'requirement')),
    section integer,
    section_title text,
    title text NOT NULL,
    body text NOT NULL,
    as_named text NOT NULL,
    PRIMARY KEY (plan_key, key),
    CHECK ((kind = 'measure') = (section IS NOT NULL))
);

CREATE TABLE duties (
    plan_key text NOT NULL,
    measure_key text NOT NULL,
    position integer NOT NULL,
    unit_key text NOT NULL,
    unit_name text NOT NULL,
    -- The group that the document names, where it does not name the unit itself.
    named_as text CHECK (named_as IN ('county_units', 'committee_members', 'provincial_departments')),
    PRIMARY KEY (plan_key, measure_key, unit_key),
    FOREIGN KEY (plan_key, measure_key) REFERENCES plan_measures
);
CREATE INDEX duties_unit_key_idx ON duties (unit_key);
