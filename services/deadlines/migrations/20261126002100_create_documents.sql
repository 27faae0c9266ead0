-- The papers at the end of a rectification: approvals of closings (销号审批表) and acceptance opinions (整改验收意见), numbered from
-- number_series and frozen in the transaction that closes. Urging orders keep their own table, for a storm writes them.
CREATE TABLE documents (
    document_id uuid PRIMARY KEY,
    kind text NOT NULL,
    rectification_id uuid NOT NULL REFERENCES rectifications,
    item_id uuid,
    agency_word text NOT NULL,
    kind_word text NOT NULL,
    year smallint NOT NULL,
    serial integer NOT NULL CHECK (serial > 0),
    doc_no text NOT NULL UNIQUE,
    title text NOT NULL,
    issued_at timestamptz NOT NULL,
    -- Canonical JSON and its SHA-256: the frozen text.
    content text NOT NULL,
    content_sha256 text NOT NULL CHECK (length(content_sha256) = 64),
    UNIQUE (agency_word, kind_word, year, serial)
);
CREATE INDEX documents_rectification_id_idx ON documents (rectification_id);

CREATE FUNCTION refuse_document_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an issued document is frozen' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER documents_are_frozen BEFORE UPDATE OR DELETE ON documents
    FOR EACH ROW EXECUTE FUNCTION refuse_document_change();
