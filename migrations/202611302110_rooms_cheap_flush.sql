-- What Postgres did for each flush beside writing its rows, and need not (`make bench ARGS=fence`, benches/README.md).

-- Each message and event locked its room once more, to see that it is there. The fence has just written that room in the
-- same statement, so no row of a flush is without one. Their end with their room is seen to here instead.
ALTER TABLE messages DROP CONSTRAINT messages_room_id_fkey;
ALTER TABLE room_events DROP CONSTRAINT room_events_room_id_fkey;

CREATE FUNCTION parlance_end_orders() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
BEGIN
    DELETE FROM messages WHERE room_id IN (SELECT id FROM gone);
    DELETE FROM room_events WHERE room_id IN (SELECT id FROM gone);
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION parlance_end_orders() FROM PUBLIC;

CREATE TRIGGER end_orders
    AFTER DELETE ON rooms
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_end_orders();

-- A check is read from its text and prepared anew by each statement that updates the table, whichever columns it sets;
-- a trigger of columns only by those that set them. `last_seq` has none: only the fence moves it, and only up.
ALTER TABLE rooms
    DROP CONSTRAINT rooms_check,
    DROP CONSTRAINT rooms_check1,
    DROP CONSTRAINT rooms_last_seq_check,
    DROP CONSTRAINT rooms_member_count_check,
    DROP CONSTRAINT rooms_name_check;

CREATE FUNCTION parlance_check_room() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.kind <> 'direct' AND (NEW.direct_low IS NOT NULL OR NEW.direct_high IS NOT NULL) THEN
        RAISE check_violation USING MESSAGE = format('room %s is not direct and names two people', NEW.id);
    ELSIF NEW.direct_low >= NEW.direct_high THEN
        RAISE check_violation USING MESSAGE = format('the two people of room %s are not in order', NEW.id);
    ELSIF NEW.member_count < 0 OR NEW.last_seq < 0 THEN
        RAISE check_violation USING MESSAGE = format('room %s has less than no members or events', NEW.id);
    ELSIF NEW.name = '' THEN
        RAISE check_violation USING MESSAGE = format('room %s has an empty name', NEW.id);
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION parlance_check_room() FROM PUBLIC;

-- After, not before: one that runs before locks each row first, whether it has anything to check or not.
CREATE TRIGGER check_room
    AFTER INSERT OR UPDATE OF kind, name, direct_low, direct_high, member_count ON rooms
    FOR EACH ROW EXECUTE FUNCTION parlance_check_room();
