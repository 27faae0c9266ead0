CREATE TABLE units (
    unit_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    -- Stable key of the import; for schools the identifier code. An attribute: nothing refers to it.
    key text NOT NULL UNIQUE,
    school_code text UNIQUE,
    school_kind text,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('school', 'government', 'department', 'education_bureau', 'supervision_agency')),
    area_id uuid NOT NULL REFERENCES areas,
    area_path uuid[] NOT NULL,
    area_code text NOT NULL,
    county_code text,
    county_name text,
    -- Deferred: a department and its own competent department may come in one file, in any order.
    competent_unit_id uuid REFERENCES units DEFERRABLE INITIALLY DEFERRED,
    private boolean NOT NULL,
    students integer CHECK (students >= 0),
    credit_code text,
    valid_from date NOT NULL,
    CHECK ((kind = 'school') = (school_code IS NOT NULL)),
    CHECK ((kind = 'school') = (school_kind IS NOT NULL))
);
CREATE INDEX units_area_path_idx ON units USING gin (area_path);
CREATE INDEX units_area_id_idx ON units (area_id);
CREATE INDEX units_competent_unit_id_idx ON units (competent_unit_id);

CREATE TABLE unit_versions (
    unit_id uuid NOT NULL REFERENCES units,
    version bigint NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    record jsonb NOT NULL,
    PRIMARY KEY (unit_id, version)
);
