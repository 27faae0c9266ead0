-- Mergers of a county unit into another one (区划并入), announced for a day.
CREATE TABLE area_mergers (
    merger_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    area_id uuid NOT NULL REFERENCES areas,
    into_area_id uuid NOT NULL REFERENCES areas,
    effective_on date NOT NULL,
    -- The document that decided it.
    ground text NOT NULL,
    state text NOT NULL CHECK (state IN ('announced', 'withdrawn', 'carried_out')),
    announced_by text NOT NULL,
    announced_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (area_id <> into_area_id)
);
-- An area is merged once, and has one day for it.
CREATE UNIQUE INDEX area_mergers_area_id_idx ON area_mergers (area_id) WHERE state <> 'withdrawn';
CREATE INDEX area_mergers_effective_on_idx ON area_mergers (effective_on) WHERE state = 'announced';
