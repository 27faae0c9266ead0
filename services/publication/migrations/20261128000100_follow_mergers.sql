-- County units that became a part of another one (区划并入): for what is heard of later though it was said before. Facts and mergers
-- come from different services, so no order between them is promised.
CREATE TABLE area_mergers (
    area_id uuid PRIMARY KEY,
    -- Areas from the province down to it, from then on.
    path uuid[] NOT NULL,
    -- Their order: a county that took another one in may itself become a part of a third.
    known bigint NOT NULL GENERATED ALWAYS AS IDENTITY
);

CREATE FUNCTION follow_mergers() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    merger record;
BEGIN
    FOR merger IN SELECT area_id, path FROM area_mergers ORDER BY known LOOP
        IF merger.area_id = ANY (NEW.area_path) AND NEW.area_path[:cardinality(merger.path)] <> merger.path THEN
            NEW.area_path := merger.path || NEW.area_path[array_position(NEW.area_path, merger.area_id) + 1:];
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE TRIGGER follow_mergers BEFORE INSERT ON documents FOR EACH ROW EXECUTE FUNCTION follow_mergers();
