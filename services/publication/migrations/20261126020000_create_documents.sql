-- The register of issued documents (发文登记簿), as far as other rooms may know of a paper: what it is, never what it says.
CREATE TABLE documents (
    document_id uuid PRIMARY KEY,
    -- 1 issued, 2 voided or replaced; an older version is passed over.
    version bigint NOT NULL,
    -- Who serves the paper, and under which identifier.
    keeper text NOT NULL,
    kept_as uuid NOT NULL,
    kind text NOT NULL,
    -- The code for verification (核验码): the beginning of the hash in twelve letters, which the portal looks up.
    code text NOT NULL,
    doc_no text NOT NULL,
    -- The parts of the number, for the proof that a series is whole; empty for a number of another form.
    word text,
    year smallint,
    serial integer,
    -- For the offices; the public is told the title only of what is open.
    title text NOT NULL,
    open boolean NOT NULL,
    issuing_unit_id uuid NOT NULL,
    issuing_unit_name text NOT NULL,
    area_path uuid[] NOT NULL,
    issued_at timestamptz NOT NULL,
    content_sha256 text NOT NULL CHECK (length(content_sha256) = 64),
    voided_at timestamptz,
    void_cause text,
    void_reason text,
    voided_by text,
    replaced_by_id uuid,
    replaced_by_no text,
    replaced_by_code text,
    CHECK (num_nulls(voided_at, void_cause, void_reason, voided_by) IN (0, 4)),
    CHECK (num_nulls(replaced_by_id, replaced_by_no, replaced_by_code) IN (0, 3)),
    CHECK (voided_at IS NOT NULL OR replaced_by_id IS NULL),
    CHECK (num_nulls(word, year, serial) IN (0, 3))
);
CREATE INDEX documents_code_idx ON documents (code);
CREATE INDEX documents_series_idx ON documents (word, year, serial);
CREATE INDEX documents_issued_at_idx ON documents (issued_at DESC, document_id DESC);

-- Files that the room that renders has made of documents, by its own signed statement. They may be known before the document is.
CREATE TABLE renditions (
    content_sha256 text NOT NULL CHECK (length(content_sha256) = 64),
    file_sha256 text NOT NULL CHECK (length(file_sha256) = 64),
    format text NOT NULL,
    -- What stands across its pages.
    state text NOT NULL,
    known_at timestamptz NOT NULL,
    PRIMARY KEY (content_sha256, file_sha256)
);
