-- One index says both what happened to an aggregate, in order, and that no event stands in the journal twice: the identifier of
-- an event follows from its aggregate and version, so that the three together are as unique as the identifier alone.
ALTER TABLE messaging.journal DROP CONSTRAINT journal_event_id_key;
DROP INDEX messaging.journal_aggregate_idx;
CREATE UNIQUE INDEX journal_aggregate_idx ON messaging.journal (aggregate_id, aggregate_version, event_id);

-- The texts are written and read whole, and hashed byte for byte: what only this code writes need not be parsed again by the
-- database for each row of a storm.
ALTER TABLE messaging.journal ALTER COLUMN actor TYPE text USING actor::text, ALTER COLUMN payload TYPE text USING payload::text;
