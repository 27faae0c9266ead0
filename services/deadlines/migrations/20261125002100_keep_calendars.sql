-- Every calendar version that a proof sheet names, kept whole: a sheet can be computed again after the calendars have changed.
-- The version is a name of the content, so a changed row is noticed.
CREATE TABLE calendars (
    version text PRIMARY KEY,
    content json NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
