-- Every night a proof that nothing was missed (lessons: a dead man's proof): when, whether all holds, and the counts.
CREATE TABLE proofs (
    proof_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proved_at timestamptz NOT NULL,
    holds boolean NOT NULL,
    content json NOT NULL
);
CREATE INDEX proofs_proved_at_idx ON proofs (proved_at);

-- A case that is set aside is tried again every minute: since when it is so must not be forgotten.
ALTER TABLE rectifications ADD COLUMN stuck_since timestamptz;
UPDATE rectifications SET stuck_since = stuck_at;
