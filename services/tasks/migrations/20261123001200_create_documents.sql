-- The last serial given out; the row is locked by the transaction that issues, so that the numbers have no gap.
CREATE TABLE document_serials (
    agency_word text NOT NULL,
    kind_word text NOT NULL,
    year smallint NOT NULL,
    last integer NOT NULL CHECK (last > 0),
    PRIMARY KEY (agency_word, kind_word, year)
);

CREATE TABLE documents (
    document_id uuid PRIMARY KEY,
    kind text NOT NULL,
    agency_word text NOT NULL,
    kind_word text NOT NULL,
    year smallint NOT NULL,
    serial integer NOT NULL CHECK (serial > 0),
    doc_no text NOT NULL UNIQUE,
    title text NOT NULL,
    issuing_unit_id uuid NOT NULL,
    issuing_unit_name text NOT NULL,
    case_id uuid,
    plan_id uuid,
    -- Canonical JSON and its SHA-256: the frozen text.
    content text NOT NULL,
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    issued_at timestamptz NOT NULL,
    issued_by jsonb NOT NULL,
    UNIQUE (agency_word, kind_word, year, serial),
    CHECK (num_nonnulls(case_id, plan_id) = 1)
);
CREATE INDEX documents_case_id_idx ON documents (case_id);

CREATE FUNCTION refuse_document_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an issued document is frozen' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER documents_are_frozen BEFORE UPDATE OR DELETE ON documents
    FOR EACH ROW EXECUTE FUNCTION refuse_document_change();

-- The first signature of a unit for a document; it may come before this service knows why it matters.
CREATE TABLE receipts (
    document_id uuid PRIMARY KEY REFERENCES documents,
    received_at timestamptz NOT NULL,
    signer_name text NOT NULL,
    unit_id uuid NOT NULL
);
