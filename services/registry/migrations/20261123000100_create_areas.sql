-- Of every register there is the current row, and in <singular>_versions each version as it stood: which days it was in force,
-- and the whole row as JSON, so that a report of years ago can be read with the names of that time.

CREATE TABLE areas (
    area_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    level text NOT NULL CHECK (level IN ('province', 'county_unit', 'district')),
    parent_id uuid REFERENCES areas,
    -- From the province down to this one.
    path uuid[] NOT NULL,
    -- The county unit that it is or lies in; none for the province.
    county_id uuid REFERENCES areas,
    effective_on date NOT NULL,
    CHECK ((level = 'province') = (parent_id IS NULL)),
    CHECK ((level = 'province') = (county_id IS NULL)),
    CHECK (path[cardinality(path)] = area_id)
);
-- One installation, one province.
CREATE UNIQUE INDEX areas_one_province_idx ON areas ((true)) WHERE level = 'province';

CREATE TABLE area_versions (
    area_id uuid NOT NULL REFERENCES areas,
    version bigint NOT NULL,
    valid_from date NOT NULL,
    -- Last day in force; before valid_from when the version was replaced on the day on which it began.
    valid_to date,
    record jsonb NOT NULL,
    PRIMARY KEY (area_id, version)
);
