-- A rectification whose data the rules cannot decide on (its rulebook is gone, say) must not hold up the others: it is set
-- aside with the cause, tried again after a while, and shown to the operator.
ALTER TABLE rectifications ADD COLUMN stuck_at timestamptz, ADD COLUMN stuck_cause text;
CREATE INDEX rectifications_stuck_at_idx ON rectifications (stuck_at) WHERE stuck_at IS NOT NULL;
