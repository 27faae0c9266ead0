-- One row per supervision case that the national platform hears of; its lock orders what happens to a case.
CREATE TABLE cases (
    case_id uuid PRIMARY KEY,
    -- The highest sequence number that the platform has accepted; 0 before the opinion letter.
    accepted_through integer NOT NULL DEFAULT 0 CHECK (accepted_through >= 0)
);

CREATE TABLE messages (
    message_id uuid PRIMARY KEY,
    version bigint NOT NULL CHECK (version > 0),
    case_id uuid NOT NULL REFERENCES cases,
    case_title text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('opinion_letter', 'rectification', 'urging_order', 'closure')),
    -- Place within the case: 1 the letter, 2 the rectification, then the urging orders, last the closure.
    sequence integer NOT NULL CHECK (sequence > 0),
    state text NOT NULL CHECK (state IN ('held', 'ready', 'accepted', 'rejected', 'invalid')),
    unit_name text NOT NULL,
    doc_no text,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    -- Legal time of the fact and its day in the province.
    occurred_at timestamptz NOT NULL,
    occurred_on date NOT NULL,
    -- The exact bytes that are sent, and their SHA-256.
    payload text NOT NULL,
    sha256 text NOT NULL CHECK (length(sha256) = 64),
    traceparent text,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Failures in a row; they set the pause before the next attempt.
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    -- Machine time: pauses do not depend on a rehearsal's clock.
    next_attempt_at timestamptz,
    last_outcome text,
    -- What the platform said when it refused, or the last failure.
    reason text,
    -- What our own check found, when the state is invalid.
    faults jsonb NOT NULL DEFAULT '[]',
    receipt_no text,
    -- As the platform wrote it on its receipt.
    receipt_at text,
    accepted_at timestamptz,
    UNIQUE (case_id, sequence),
    CHECK ((state = 'ready') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'accepted') = (receipt_no IS NOT NULL)),
    CHECK ((state = 'accepted') = (accepted_at IS NOT NULL))
);
-- Head of line: one message of a case at a time.
CREATE UNIQUE INDEX messages_ready_case_id_idx ON messages (case_id) WHERE state = 'ready';
CREATE INDEX messages_next_attempt_at_idx ON messages (next_attempt_at, message_id) WHERE state = 'ready';
CREATE INDEX messages_occurred_at_idx ON messages (occurred_at, message_id);
CREATE INDEX messages_occurred_on_idx ON messages (occurred_on, message_id);
CREATE INDEX messages_state_idx ON messages (state, occurred_at) WHERE state <> 'accepted';

CREATE TABLE attempts (
    message_id uuid NOT NULL REFERENCES messages,
    attempt integer NOT NULL CHECK (attempt > 0),
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    outcome text NOT NULL,
    status smallint,
    answer text,
    PRIMARY KEY (message_id, attempt)
);

-- What a person changed in a payload before sending it again, with the hash of what it replaced.
CREATE TABLE corrections (
    message_id uuid NOT NULL REFERENCES messages,
    version bigint NOT NULL,
    made_at timestamptz NOT NULL,
    made_by jsonb NOT NULL,
    reason text NOT NULL,
    changes jsonb NOT NULL,
    sha256_before text NOT NULL,
    PRIMARY KEY (message_id, version)
);
