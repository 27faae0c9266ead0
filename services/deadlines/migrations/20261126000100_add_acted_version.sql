-- The version that people made last. What the clock did since (a reminder, an overdue mark, a proposal) is no reason to refuse an
-- act that was decided on an older version: a report at the last minute must not fail because the clock struck meanwhile.
ALTER TABLE rectifications ADD COLUMN acted_version bigint NOT NULL DEFAULT 1;
