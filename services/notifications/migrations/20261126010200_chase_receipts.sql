ALTER TABLE receipts
    -- account (signed in), link (one-time link), paper (recorded by the office).
    ADD COLUMN method text CHECK (method IN ('account', 'link', 'paper')),
    -- A paper receipt: who recorded it, when, and what was said of it.
    ADD COLUMN recorded_by uuid,
    ADD COLUMN recorded_at timestamptz,
    ADD COLUMN note text,
    -- The unit and the supervision as the document named them, for what the clock tells.
    ADD COLUMN unit text,
    ADD COLUMN case_title text NOT NULL DEFAULT '',
    -- The next thing that the clock does: 0 the unit is reminded, from 1 on the office is told for so many times.
    ADD COLUMN chases integer NOT NULL DEFAULT 0,
    ADD COLUMN next_chase_at timestamptz;
UPDATE receipts SET method = 'account' WHERE signed_at IS NOT NULL;
UPDATE receipts SET next_chase_at = due_at WHERE signed_at IS NULL;
ALTER TABLE receipts
    -- What is not signed is chased: no state without a clock.
    ADD CONSTRAINT receipts_chase_check CHECK ((signed_at IS NULL) = (next_chase_at IS NOT NULL)),
    ADD CONSTRAINT receipts_signed_method_check CHECK ((signed_at IS NULL) = (method IS NULL)),
    ADD CONSTRAINT receipts_paper_check CHECK (num_nonnulls(recorded_by, recorded_at) = CASE WHEN method = 'paper' THEN 2 ELSE 0 END);
CREATE INDEX receipts_next_chase_at_idx ON receipts (next_chase_at) WHERE next_chase_at IS NOT NULL;

-- One-time links to acknowledge receipt without signing in; the link itself is nowhere, only its hash.
CREATE TABLE receipt_links (
    token_sha256 bytea PRIMARY KEY,
    receipt_id uuid NOT NULL REFERENCES receipts,
    account_id uuid NOT NULL REFERENCES accounts,
    message_id uuid NOT NULL UNIQUE REFERENCES messages,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX receipt_links_receipt_id_idx ON receipt_links (receipt_id);
