CREATE TABLE notes (
    note_id uuid PRIMARY KEY,
    text text NOT NULL,
    written_at timestamptz NOT NULL
);
