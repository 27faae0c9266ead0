-- What each consumer has applied. The row is written in the transaction of the effect: that is what makes it exactly once.
CREATE TABLE messaging.inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);

-- Attempts that failed and are being retried.
CREATE TABLE messaging.failures (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    attempts integer NOT NULL,
    cause text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);

-- What could not be read or applied, with its cause, until a person edits it, sends it again or discards it.
CREATE TABLE messaging.dead_letters (
    dead_letter_id uuid PRIMARY KEY,
    consumer text NOT NULL,
    subject text NOT NULL,
    event_id uuid,
    body bytea NOT NULL,
    body_sha256 bytea NOT NULL,
    cause text NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'redriving', 'applied', 'discarded')),
    edited_by text,
    settled_at timestamptz,
    UNIQUE (consumer, body_sha256)
);
CREATE INDEX dead_letters_state_idx ON messaging.dead_letters (consumer, state);
