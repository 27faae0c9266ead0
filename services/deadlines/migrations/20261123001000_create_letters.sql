-- What others said: letters, receipts, agencies. A rectification opens when letter and receipt are both here, in whatever order they came.
CREATE TABLE letters (
    letter_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    content jsonb NOT NULL
);

CREATE TABLE receipts (
    letter_id uuid PRIMARY KEY,
    unit_id uuid NOT NULL,
    signed_at timestamptz NOT NULL,
    signed_by uuid NOT NULL,
    signer_name text NOT NULL
);

CREATE TABLE agencies (
    unit_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    unit_key text NOT NULL,
    area_code text NOT NULL
);
