CREATE TABLE plans (
    plan_id uuid PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0),
    year smallint NOT NULL,
    title text NOT NULL,
    agency_id uuid NOT NULL,
    agency_name text NOT NULL,
    -- Areas from the province down to the agency's own: the scope of permissions.
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    document_id uuid REFERENCES documents,
    created_at timestamptz NOT NULL
);
CREATE INDEX plans_created_at_idx ON plans (created_at DESC, plan_id DESC);

CREATE TABLE plan_items (
    plan_item_id uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES plans,
    number integer NOT NULL CHECK (number > 0),
    supervision_kind text NOT NULL CHECK (supervision_kind IN ('comprehensive', 'special', 'regular', 'emergency')),
    matter text NOT NULL,
    target_unit_ids uuid[] NOT NULL CHECK (cardinality(target_unit_ids) > 0),
    window_from date NOT NULL,
    window_to date NOT NULL,
    UNIQUE (plan_id, number),
    CHECK (window_from <= window_to)
);
