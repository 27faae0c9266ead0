CREATE TABLE messages (
    message_id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts,
    template text NOT NULL,
    capacity text NOT NULL CHECK (capacity IN ('to', 'copy', 'inform', 'fallback')),
    legal boolean NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    link text NOT NULL,
    document_id uuid,
    doc_no text,
    case_id uuid,
    rectification_id uuid,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    UNIQUE (event_id, account_id, template)
);
CREATE INDEX messages_inbox_idx ON messages (account_id, created_at DESC, message_id DESC);
CREATE INDEX messages_unread_idx ON messages (account_id) WHERE read_at IS NULL;
CREATE INDEX messages_document_id_idx ON messages (document_id);
CREATE INDEX messages_case_id_idx ON messages (case_id);
CREATE INDEX messages_rectification_id_idx ON messages (rectification_id);

CREATE TABLE deliveries (
    delivery_id uuid PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES messages,
    channel text NOT NULL CHECK (channel IN ('in_app', 'mail')),
    state text NOT NULL CHECK (state IN ('queued', 'sending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    -- Definite refusals (5xx) among the attempts.
    refusals integer NOT NULL DEFAULT 0,
    -- Machine time of the database: when to try is no matter of law.
    next_attempt_at timestamptz,
    last_error text,
    queued_at timestamptz NOT NULL,
    delivered_at timestamptz,
    UNIQUE (message_id, channel),
    CHECK ((state = 'delivered') = (delivered_at IS NOT NULL)),
    CHECK ((state IN ('queued', 'sending')) = (next_attempt_at IS NOT NULL))
);
CREATE INDEX deliveries_next_attempt_at_idx ON deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_failed_idx ON deliveries (message_id) WHERE state = 'failed';

-- Units that nobody could be reached in when they had to be told: addressees, or departments that get a copy.
-- Settled when one of their people gets an account.
CREATE TABLE unreached (
    unreached_id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    template text NOT NULL,
    capacity text NOT NULL CHECK (capacity IN ('to', 'copy')),
    legal boolean NOT NULL,
    channels text[] NOT NULL,
    awaited_roles text[] NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    link text NOT NULL,
    document_id uuid,
    doc_no text,
    case_id uuid,
    rectification_id uuid,
    -- The unit that the matter is about, and the one that should have been told.
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    awaited_unit_id uuid NOT NULL,
    awaited_unit_name text NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    -- How many accounts of the department and the office got the message instead.
    passed_to integer NOT NULL,
    created_at timestamptz NOT NULL,
    reached_at timestamptz,
    UNIQUE (event_id, template, capacity)
);
CREATE INDEX unreached_awaited_unit_id_idx ON unreached (awaited_unit_id) WHERE reached_at IS NULL;
CREATE INDEX unreached_document_id_idx ON unreached (document_id);
CREATE INDEX unreached_case_id_idx ON unreached (case_id);
CREATE INDEX unreached_rectification_id_idx ON unreached (rectification_id);

-- What an account does not want by mail. Legal messages are not asked.
CREATE TABLE preferences (
    account_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    mail_off text[] NOT NULL
);
