-- TRUNCATE fires no trigger for its rows: what was said in rooms went with them before, by foreign keys, and does so again.
CREATE FUNCTION parlance_end_all_orders() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
BEGIN
    TRUNCATE messages, room_events;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION parlance_end_all_orders() FROM PUBLIC;

CREATE TRIGGER end_all_orders
    AFTER TRUNCATE ON rooms
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_end_all_orders();

-- Which kinds are of two people, `room_kinds` knows. `last_seq` is not looked at: the trigger does not run for it alone.
CREATE OR REPLACE FUNCTION parlance_check_room() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    IF (NEW.direct_low IS NOT NULL OR NEW.direct_high IS NOT NULL)
        AND NOT EXISTS (SELECT FROM room_kinds WHERE kind = NEW.kind AND is_pair) THEN
        RAISE check_violation USING MESSAGE = format('room %s is not of two and names two people', NEW.id);
    ELSIF NEW.direct_low >= NEW.direct_high THEN
        RAISE check_violation USING MESSAGE = format('the two people of room %s are not in order', NEW.id);
    ELSIF NEW.member_count < 0 THEN
        RAISE check_violation USING MESSAGE = format('room %s has less than no members', NEW.id);
    ELSIF NEW.name = '' THEN
        RAISE check_violation USING MESSAGE = format('room %s has an empty name', NEW.id);
    END IF;
    RETURN NULL;
END
$$;
