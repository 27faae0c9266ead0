-- Answers already given, so that a repeated POST gets the same answer and has no second effect.
CREATE TABLE messaging.idempotency_keys (
    account_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
    route text NOT NULL,
    body_sha256 bytea NOT NULL,
    status smallint,
    response_headers json,
    response_body bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON messaging.idempotency_keys (created_at);
