-- An item under an urging order is late until the unit reports, although the order's new limit still runs: the same as the
-- ledger of `reporting` says.
ALTER TABLE items ADD COLUMN urged boolean NOT NULL DEFAULT false;
