-- One public page per rectification: what would be published, who decided, and what is published.
CREATE TABLE publications (
    publication_id uuid PRIMARY KEY,
    rectification_id uuid NOT NULL UNIQUE,
    version bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'published', 'withdrawn')),
    snapshot jsonb NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    title text NOT NULL,
    unit_name text NOT NULL,
    county_code text,
    county_name text,
    letter_no text NOT NULL,
    letter_issued_at timestamptz NOT NULL,
    marks integer NOT NULL,
    needs_approval boolean NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    due_proof jsonb NOT NULL,
    -- Whose wording it is; kept when a page is withdrawn.
    approval jsonb,
    withdrawal jsonb,
    withdrawn_at timestamptz,
    -- The published bytes and nothing else is what the portal reads.
    content text,
    content_sha256 text,
    public_status text CHECK (public_status IN ('open', 'urged', 'closed')),
    published_at timestamptz,
    -- Only a page that a person approved may be published; nothing else has content.
    CHECK ((state = 'published') = (content IS NOT NULL)),
    CHECK (content IS NULL OR (approval IS NOT NULL AND content_sha256 IS NOT NULL AND public_status IS NOT NULL
        AND published_at IS NOT NULL)),
    CHECK ((state = 'withdrawn') = (withdrawal IS NOT NULL))
);
CREATE INDEX publications_due_at_idx ON publications (due_at, publication_id);
CREATE INDEX publications_area_path_idx ON publications USING gin (area_path);
CREATE INDEX publications_published_idx ON publications (letter_issued_at DESC, publication_id) WHERE state = 'published';

-- Every version that was ever public, byte for byte.
CREATE TABLE published_versions (
    publication_id uuid NOT NULL REFERENCES publications,
    version bigint NOT NULL,
    published_at timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('approved', 'status')),
    content text NOT NULL,
    content_sha256 text NOT NULL,
    PRIMARY KEY (publication_id, version)
);

-- Every decision of a person.
CREATE TABLE decisions (
    publication_id uuid NOT NULL REFERENCES publications,
    version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('approve', 'withdraw')),
    account_id uuid NOT NULL,
    name text NOT NULL,
    decided_at timestamptz NOT NULL,
    detail jsonb NOT NULL,
    PRIMARY KEY (publication_id, version)
);
