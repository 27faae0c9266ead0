CREATE TABLE accounts (
    account_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    -- Lower case.
    login text NOT NULL UNIQUE CHECK (login = lower(login)),
    display_name text NOT NULL,
    email text,
    language text NOT NULL CHECK (language IN ('zh-Hans', 'zh-Hant', 'en')),
    -- Roles with scope: [{role, area_id, unit_id}].
    grants jsonb NOT NULL,
    unit_id uuid REFERENCES units,
    person_id uuid REFERENCES inspectors,
    -- Whose office may manage the account.
    area_id uuid NOT NULL REFERENCES areas,
    area_path uuid[] NOT NULL,
    active boolean NOT NULL,
    -- Made by the installation itself; no import and no office touches it.
    built_in boolean NOT NULL,
    valid_from date NOT NULL
);
CREATE UNIQUE INDEX accounts_one_built_in_idx ON accounts ((true)) WHERE built_in;
CREATE INDEX accounts_area_path_idx ON accounts USING gin (area_path);

CREATE TABLE account_versions (
    account_id uuid NOT NULL REFERENCES accounts,
    version bigint NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    record jsonb NOT NULL,
    PRIMARY KEY (account_id, version)
);

-- Secrets stand apart from the register, so that no version and no event can carry one. All times here are machine time.
CREATE TABLE credentials (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    -- Argon2id in PHC form.
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE activations (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    code_sha256 bytea NOT NULL CHECK (octet_length(code_sha256) = 32),
    issued_by uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    failures integer NOT NULL DEFAULT 0
);

-- A row per issued token, for the record; a token itself is not stored.
CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    address text
);
CREATE INDEX sessions_account_id_idx ON sessions (account_id, issued_at);

-- Failed attempts, by login and by address.
CREATE TABLE throttles (
    kind text NOT NULL CHECK (kind IN ('login', 'address')),
    subject text NOT NULL,
    failures integer NOT NULL,
    last_failed_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX throttles_last_failed_at_idx ON throttles (last_failed_at);
