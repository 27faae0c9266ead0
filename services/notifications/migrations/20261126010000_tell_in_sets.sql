-- What has to be told (告知事项): one row for each event, written in its transaction; it is never changed. The messages are made
-- from many of them at once.
CREATE TABLE notices (
    notice_id uuid PRIMARY KEY,
    template text NOT NULL,
    legal boolean NOT NULL,
    -- Waits for no sending hours.
    urgent boolean NOT NULL DEFAULT false,
    -- The facts, as JSON; absent for what was told before there were notices.
    matter text,
    -- For the frame of the texts: whom the rule addresses, the department, the agency.
    addressee_name text NOT NULL,
    department_name text,
    issuing_name text NOT NULL,
    link text NOT NULL,
    document_id uuid,
    doc_no text NOT NULL,
    case_id uuid NOT NULL,
    rectification_id uuid,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    county_code text,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX notices_document_id_idx ON notices (document_id) WHERE document_id IS NOT NULL;
CREATE INDEX notices_case_id_idx ON notices (case_id);
CREATE INDEX notices_rectification_id_idx ON notices (rectification_id) WHERE rectification_id IS NOT NULL;

-- Notices that nobody has been told of yet; a row goes with the transaction that writes the messages.
CREATE TABLE untold (
    notice_id uuid PRIMARY KEY REFERENCES notices,
    heard_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    -- Machine time of the database.
    next_attempt_at timestamptz NOT NULL,
    last_error text
);
CREATE INDEX untold_next_attempt_at_idx ON untold (next_attempt_at, notice_id);

-- A body as it was told, once for each notice and language.
CREATE TABLE texts (
    notice_id uuid NOT NULL REFERENCES notices,
    language text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (notice_id, language)
);

INSERT INTO notices (notice_id, template, legal, addressee_name, issuing_name, link, document_id, doc_no, case_id,
                     rectification_id, unit_id, unit_name, area_path, unit_ids, created_at)
    SELECT DISTINCT ON (event_id) event_id, template, legal, unit_name, unit_name, link, document_id, coalesce(doc_no, ''),
           coalesce(case_id, event_id), rectification_id, unit_id, unit_name, area_path, unit_ids, created_at
    FROM (SELECT event_id, template, legal, link, document_id, doc_no, case_id, rectification_id, unit_id, unit_name, area_path,
                 unit_ids, created_at FROM messages
          UNION ALL
          SELECT event_id, template, legal, link, document_id, doc_no, case_id, rectification_id, unit_id, unit_name, area_path,
                 unit_ids, created_at FROM unreached) AS told
    ORDER BY event_id, created_at;

-- A message is a notice for one reader: an account, or an endpoint of a unit (another system, the robot of a group).
ALTER TABLE messages
    ALTER COLUMN account_id DROP NOT NULL,
    -- Those of messages from before there were notices; newer ones have none.
    ALTER COLUMN subject DROP NOT NULL,
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN endpoint text,
    ADD COLUMN language text NOT NULL DEFAULT 'zh-Hans',
    DROP COLUMN legal,
    DROP COLUMN link,
    DROP COLUMN document_id,
    DROP COLUMN doc_no,
    DROP COLUMN case_id,
    DROP COLUMN rectification_id,
    DROP COLUMN unit_id,
    DROP COLUMN unit_name,
    DROP COLUMN area_path,
    DROP COLUMN unit_ids,
    ADD CONSTRAINT messages_event_id_fkey FOREIGN KEY (event_id) REFERENCES notices,
    ADD CONSTRAINT messages_reader_check CHECK (num_nonnulls(account_id, endpoint) = 1);
CREATE UNIQUE INDEX messages_event_id_endpoint_idx ON messages (event_id, endpoint) WHERE endpoint IS NOT NULL;

INSERT INTO texts (notice_id, language, body)
    SELECT DISTINCT ON (event_id) event_id, 'zh-Hans', body FROM unreached WHERE reached_at IS NULL;
ALTER TABLE unreached
    DROP COLUMN subject,
    DROP COLUMN body,
    DROP COLUMN legal,
    DROP COLUMN link,
    DROP COLUMN document_id,
    DROP COLUMN doc_no,
    DROP COLUMN case_id,
    DROP COLUMN rectification_id,
    DROP COLUMN unit_id,
    DROP COLUMN unit_name,
    DROP COLUMN area_path,
    DROP COLUMN unit_ids,
    ADD CONSTRAINT unreached_event_id_fkey FOREIGN KEY (event_id) REFERENCES notices;

-- The unit's key in the register, by which the configuration names the units of endpoints.
ALTER TABLE units ADD COLUMN key text;
