CREATE TABLE inspectors (
    person_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    inspector_no text NOT NULL UNIQUE,
    name text NOT NULL,
    area_id uuid NOT NULL REFERENCES areas,
    area_path uuid[] NOT NULL,
    area_code text NOT NULL,
    full_time boolean NOT NULL,
    grade text,
    term_from date NOT NULL,
    term_to date NOT NULL,
    training_hours integer NOT NULL CHECK (training_hours >= 0),
    suspended boolean NOT NULL,
    valid_from date NOT NULL,
    CHECK (term_from <= term_to)
);
CREATE INDEX inspectors_area_path_idx ON inspectors USING gin (area_path);

CREATE TABLE inspector_versions (
    person_id uuid NOT NULL REFERENCES inspectors,
    version bigint NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    record jsonb NOT NULL,
    PRIMARY KEY (person_id, version)
);
