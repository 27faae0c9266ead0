-- What leaves once a day for somebody who wants it collected (消息摘要).
CREATE TABLE digests (
    digest_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    language text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL
);

UPDATE deliveries SET state = 'queued' WHERE state = 'sending';
DROP INDEX deliveries_next_attempt_at_idx;
ALTER TABLE deliveries
    DROP CONSTRAINT deliveries_channel_check,
    DROP CONSTRAINT deliveries_state_check,
    DROP CONSTRAINT deliveries_check1,
    ALTER COLUMN message_id DROP NOT NULL,
    -- A digest's own mail.
    ADD COLUMN digest_of uuid REFERENCES digests,
    -- The digest that it went into.
    ADD COLUMN digest_id uuid REFERENCES digests,
    -- Legal time before which it does not leave: sending hours, or the time of the digest.
    ADD COLUMN not_before timestamptz,
    ADD COLUMN collected boolean NOT NULL DEFAULT false,
    -- The sender that has it, by the number of its advisory lock.
    ADD COLUMN lane bigint,
    -- Who accepted it.
    ADD COLUMN provider text,
    ADD COLUMN fell_back_at timestamptz,
    ADD COLUMN redrives integer NOT NULL DEFAULT 0,
    -- A person's decision about one that was given up.
    ADD COLUMN discarded_by uuid,
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN discard_reason text,
    ADD CONSTRAINT deliveries_channel_check CHECK (channel IN ('in_app', 'mail', 'sms', 'webhook', 'wecom', 'dingtalk')),
    ADD CONSTRAINT deliveries_state_check
        CHECK (state IN ('held', 'queued', 'sending', 'delivered', 'digested', 'failed', 'discarded')),
    ADD CONSTRAINT deliveries_next_attempt_check CHECK ((state IN ('queued', 'sending')) = (next_attempt_at IS NOT NULL)),
    ADD CONSTRAINT deliveries_held_check CHECK ((state = 'held') = (not_before IS NOT NULL)),
    ADD CONSTRAINT deliveries_lane_check CHECK ((state = 'sending') = (lane IS NOT NULL)),
    -- One row, one transition: what went into a digest names it, and nothing else is swallowed.
    ADD CONSTRAINT deliveries_digest_check CHECK ((state = 'digested') = (digest_id IS NOT NULL)),
    ADD CONSTRAINT deliveries_discarded_check
        CHECK (num_nonnulls(discarded_by, discarded_at, discard_reason) = CASE WHEN state = 'discarded' THEN 3 ELSE 0 END),
    ADD CONSTRAINT deliveries_content_check CHECK (num_nonnulls(message_id, digest_of) = 1);
CREATE INDEX deliveries_due_idx ON deliveries (channel, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX deliveries_held_idx ON deliveries (not_before) WHERE not_before IS NOT NULL;
CREATE INDEX deliveries_digest_id_idx ON deliveries (digest_id) WHERE digest_id IS NOT NULL;
CREATE UNIQUE INDEX deliveries_digest_of_idx ON deliveries (digest_of) WHERE digest_of IS NOT NULL;

ALTER TABLE preferences
    ADD COLUMN sms_off text[] NOT NULL DEFAULT '{}',
    -- The mobile number (E.164) that the person gave for notices.
    ADD COLUMN phone text,
    ADD COLUMN daily_digest boolean NOT NULL DEFAULT false;

-- What the sweeper found, newest last.
CREATE TABLE sweeps (
    swept_at timestamptz PRIMARY KEY,
    findings text NOT NULL,
    open bigint NOT NULL
);
