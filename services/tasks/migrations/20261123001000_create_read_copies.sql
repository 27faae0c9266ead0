-- Copies of what registry says, newest version of each: enough to address, to scope and to judge a team.
CREATE TABLE areas (
    area_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    level text NOT NULL CHECK (level IN ('province', 'county_unit', 'district')),
    path uuid[] NOT NULL
);

CREATE TABLE units (
    unit_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    key text NOT NULL,
    school_code text,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('school', 'government', 'department', 'education_bureau', 'supervision_agency')),
    area_path uuid[] NOT NULL,
    area_code text NOT NULL,
    county_code text,
    county_name text,
    competent_unit_id uuid,
    private boolean NOT NULL,
    students integer
);
-- Not unique: a key may pass from one unit to another, and events of two units come in any order.
CREATE INDEX units_key_idx ON units (key);

CREATE TABLE inspectors (
    person_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    inspector_no text NOT NULL,
    name text NOT NULL,
    area_path uuid[] NOT NULL,
    full_time boolean NOT NULL,
    grade text,
    term_from date NOT NULL,
    term_to date NOT NULL,
    training_hours integer NOT NULL,
    suspended boolean NOT NULL
);

CREATE TABLE accounts (
    account_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    display_name text NOT NULL,
    person_id uuid,
    unit_id uuid,
    active boolean NOT NULL
);
