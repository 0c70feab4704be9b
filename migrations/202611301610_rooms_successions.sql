-- A group whose owner was deleted is a job like any other, enqueued with the deletion; `successions` was a queue of its own.

CREATE OR REPLACE FUNCTION parlance_leave_rooms() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    -- A direct room that nobody else is in can be read by nobody. The lock has the deletions of the two wait for each other.
    PERFORM FROM rooms JOIN room_members AS own ON own.room_id = rooms.id
    WHERE own.user_id = OLD.id AND rooms.kind = 'direct' ORDER BY rooms.id FOR UPDATE OF rooms;
    DELETE FROM rooms USING room_members AS own
    WHERE own.user_id = OLD.id AND rooms.id = own.room_id AND rooms.kind = 'direct'
      AND NOT EXISTS (SELECT FROM room_members AS other JOIN users ON users.id = other.user_id
                      WHERE other.room_id = rooms.id AND other.user_id <> OLD.id);

    INSERT INTO departures (id, room_id, user_id, by_id, at)
    SELECT gen_random_uuid(), own.room_id, OLD.id,
           COALESCE(NULLIF(current_setting('parlance.by', true), '')::uuid, OLD.id), now()
    FROM room_members AS own WHERE own.user_id = OLD.id;

    -- Also where there are other owners: they may be deleted at this moment, and know nothing of this one.
    PERFORM parlance_enqueue_job('rooms.pass_ownership', own.room_id::text, own.room_id::text,
                                 json_build_object('room_id', own.room_id, 'gone', OLD.id))
    FROM room_members AS own JOIN rooms ON rooms.id = own.room_id
    WHERE own.user_id = OLD.id AND own.role = 'owner' AND rooms.kind IN ('group', 'channel') AND rooms.space_id IS NULL
    ORDER BY own.room_id;

    -- A space has no order, and nothing keeps its members in memory. The lock has deletions of its owners wait for each
    -- other.
    PERFORM FROM spaces JOIN space_members AS own ON own.space_id = spaces.id
    WHERE own.user_id = OLD.id AND own.role = 'owner' ORDER BY spaces.id FOR UPDATE OF spaces;
    UPDATE space_members SET role = 'owner'
    FROM (
        SELECT DISTINCT ON (other.space_id) other.space_id, other.user_id
        FROM space_members AS own
        JOIN space_members AS other ON other.space_id = own.space_id AND other.user_id <> OLD.id
        JOIN users ON users.id = other.user_id
        WHERE own.user_id = OLD.id AND own.role = 'owner'
        ORDER BY other.space_id, array_position(ARRAY['owner', 'admin', 'member', 'guest'], other.role),
                 other.joined_at, other.user_id
    ) AS heir
    WHERE space_members.space_id = heir.space_id AND space_members.user_id = heir.user_id
      AND space_members.role <> 'owner';
    RETURN OLD;
END
$$;

SELECT parlance_enqueue_job('rooms.pass_ownership', room_id::text, room_id::text,
                            json_build_object('room_id', room_id, 'gone', gone_id))
FROM successions ORDER BY room_id;
DROP TABLE successions;
