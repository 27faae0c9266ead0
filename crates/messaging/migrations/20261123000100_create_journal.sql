CREATE SCHEMA IF NOT EXISTS messaging;

-- Legal time. An administrator who rehearses (demo, tests) may create rehearsal.clock; the service's own role cannot.
CREATE FUNCTION messaging.legal_now() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    moved interval;
BEGIN
    IF to_regclass('rehearsal.clock') IS NULL THEN
        RETURN clock_timestamp();
    END IF;
    EXECUTE 'SELECT shift FROM rehearsal.clock' INTO moved;
    RETURN clock_timestamp() + coalesce(moved, interval '0');
END
$$;

-- Transaction numbers start anew when a backup is restored into a new server; the epoch keeps the order beyond that.
CREATE TABLE messaging.epochs (
    epoch integer PRIMARY KEY,
    first_tx bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO messaging.epochs (epoch, first_tx) VALUES (1, 0);

CREATE FUNCTION messaging.current_epoch() RETURNS integer
LANGUAGE sql STABLE AS 'SELECT max(epoch) FROM messaging.epochs';

-- History, outbox and audit in one: a row per event, written in the transaction of the change, never touched again.
CREATE TABLE messaging.journal (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch integer NOT NULL DEFAULT messaging.current_epoch(),
    tx bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    event_id uuid NOT NULL UNIQUE,
    event_type text NOT NULL,
    aggregate_id uuid NOT NULL,
    aggregate_version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor json NOT NULL,
    traceparent text,
    payload json NOT NULL
);
CREATE INDEX journal_order_idx ON messaging.journal (epoch, tx, position);
CREATE INDEX journal_aggregate_idx ON messaging.journal (aggregate_id, aggregate_version);

CREATE FUNCTION messaging.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE ON messaging.journal
    FOR EACH ROW EXECUTE FUNCTION messaging.refuse_change();
CREATE TRIGGER journal_is_never_truncated BEFORE TRUNCATE ON messaging.journal
    FOR EACH STATEMENT EXECUTE FUNCTION messaging.refuse_change();

-- One row per published batch: cursor, Merkle root, link to the batch before, signature. The newest row is the relay's place.
CREATE TABLE messaging.batches (
    batch bigint PRIMARY KEY,
    epoch integer NOT NULL,
    from_tx bigint NOT NULL,
    below_tx bigint NOT NULL,
    after_position bigint NOT NULL,
    to_position bigint NOT NULL,
    events integer NOT NULL CHECK (events > 0),
    root bytea NOT NULL,
    link bytea NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER batches_are_append_only BEFORE UPDATE OR DELETE ON messaging.batches
    FOR EACH ROW EXECUTE FUNCTION messaging.refuse_change();
CREATE TRIGGER batches_are_never_truncated BEFORE TRUNCATE ON messaging.batches
    FOR EACH STATEMENT EXECUTE FUNCTION messaging.refuse_change();

-- Which incarnation of the broker's stream this journal was last published into; another one means: publish all again.
CREATE TABLE messaging.transports (
    stream text PRIMARY KEY,
    incarnation text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE messaging.replays (
    replay_id uuid PRIMARY KEY,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    from_position bigint NOT NULL,
    finished_at timestamptz,
    events bigint
);
