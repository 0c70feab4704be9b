-- Who may read a room is said once. Every policy of a table with a room_id asks parlance_readable_rooms(), which asks
-- parlance_may_read() for a read of one room and parlance_my_rooms() for a read of many: another way to see rooms changes
-- these, and no policy.
--
-- A policy that called parlance_may_read(room_id) itself would call it for every row: Postgres evaluates a function of a
-- column a row at a time, and cannot inline one that reads a table. Measured (migrations/README.md), that made a page of 1000
-- messages, a page of rooms and the unread counts ten times slower. A set in a subquery without a column is made once a
-- statement and hashed. For a read of one room the set has one room, whatever else its reader is in, so that a reader of a
-- million rooms pays no more than one of three.

CREATE FUNCTION parlance_may_read(room uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$ SELECT EXISTS (SELECT FROM room_members WHERE room_id = room AND user_id = parlance_user_id()) $$;

-- parlance.room: the room that this transaction reads; it sees nothing of any other. Unset or empty: all of the reader's rooms.
CREATE FUNCTION parlance_readable_rooms() RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
DECLARE
    only_room uuid := NULLIF(current_setting('parlance.room', true), '')::uuid;
BEGIN
    IF only_room IS NULL THEN
        RETURN QUERY SELECT parlance_my_rooms();
    ELSIF parlance_may_read(only_room) THEN
        RETURN NEXT only_room;
    END IF;
END
$$;

-- A channel can be found by everyone in its space; what was said in it only by its members.
ALTER POLICY rooms_of_mine ON rooms
    USING (id IN (SELECT parlance_readable_rooms())
        OR (kind = 'channel' AND space_id IN (SELECT parlance_my_spaces())));
ALTER POLICY people_of_my_rooms ON room_members USING (room_id IN (SELECT parlance_readable_rooms()));
ALTER POLICY messages_of_my_rooms ON messages USING (room_id IN (SELECT parlance_readable_rooms()));
ALTER POLICY events_of_my_rooms ON room_events USING (room_id IN (SELECT parlance_readable_rooms()));
