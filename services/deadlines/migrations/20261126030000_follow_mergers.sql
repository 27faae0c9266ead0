-- County units that became a part of another one (区划并入): for letters that are heard of after it.
CREATE TABLE area_mergers (
    area_id uuid PRIMARY KEY,
    merged json NOT NULL,
    known_at timestamptz NOT NULL
);

-- Who issues for a case from when on, when that is no longer the agency of its letter.
ALTER TABLE dossiers ADD COLUMN successor json;
