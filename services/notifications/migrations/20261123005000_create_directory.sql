-- Copies of what other services know, as far as it decides who is told. The newest version of each wins.
CREATE TABLE accounts (
    account_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    display_name text NOT NULL,
    email text,
    language text NOT NULL,
    unit_id uuid,
    person_id uuid,
    active boolean NOT NULL
);
CREATE INDEX accounts_unit_id_idx ON accounts (unit_id);
CREATE INDEX accounts_person_id_idx ON accounts (person_id) WHERE person_id IS NOT NULL;

CREATE TABLE grants (
    account_id uuid NOT NULL REFERENCES accounts,
    role text NOT NULL,
    area_id uuid,
    unit_id uuid
);
CREATE INDEX grants_account_id_idx ON grants (account_id);
CREATE INDEX grants_unit_id_idx ON grants (unit_id, role) WHERE unit_id IS NOT NULL;
CREATE INDEX grants_area_id_idx ON grants (area_id, role) WHERE area_id IS NOT NULL;

CREATE TABLE units (
    unit_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    area_path uuid[] NOT NULL,
    competent_unit_id uuid
);

-- The group of a supervision, from its notice.
CREATE TABLE cases (
    case_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    team uuid[] NOT NULL
);

-- What is still open, so that a reminder that comes late is not sent for a closed item.
CREATE TABLE rectifications (
    rectification_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    open_item_ids uuid[] NOT NULL
);
