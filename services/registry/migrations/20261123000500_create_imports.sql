CREATE TABLE imports (
    import_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('province', 'accounts')),
    file_name text NOT NULL,
    file_sha256 bytea NOT NULL CHECK (octet_length(file_sha256) = 32),
    imported_at timestamptz NOT NULL,
    account_id uuid NOT NULL,
    imported_by text NOT NULL,
    area_path uuid[] NOT NULL,
    rows integer NOT NULL,
    created integer NOT NULL,
    changed integer NOT NULL,
    unchanged integer NOT NULL,
    rejected_rows integer NOT NULL,
    -- The whole report as answered: every refused row and every warning.
    report json NOT NULL
);
CREATE INDEX imports_imported_at_idx ON imports (imported_at, import_id);
