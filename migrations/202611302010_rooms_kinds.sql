-- What kinds of rooms there are, and what each is like: the same table as in src/core/rooms/kinds.rs, where the columns are
-- described; a test holds the two together. What asks about a kind here asks this table; a new kind is one row. Queries of
-- the engine name the kinds that they want as a parameter, and nothing on the way of a message looks here.
CREATE TABLE room_kinds (
    kind       text PRIMARY KEY,
    is_pair    boolean NOT NULL,
    has_owners boolean NOT NULL,
    is_found   boolean NOT NULL
);
INSERT INTO room_kinds (kind, is_pair, has_owners, is_found) VALUES
    ('direct', true, false, false),
    ('group', false, true, false),
    ('channel', false, true, true);

-- Of kinds that no version has made yet there may be rows by somebody's own hand; they are like nothing so far.
INSERT INTO room_kinds SELECT DISTINCT kind, false, false, false FROM rooms ON CONFLICT DO NOTHING;

ALTER TABLE rooms
    DROP CONSTRAINT rooms_kind_check,
    ADD FOREIGN KEY (kind) REFERENCES room_kinds;

-- For policies: the reader role reads no table of the schema's own.
CREATE FUNCTION parlance_found_kinds() RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$ SELECT kind FROM room_kinds WHERE is_found $$;

ALTER POLICY rooms_of_mine ON rooms
    USING (id IN (SELECT parlance_readable_rooms())
        OR (kind IN (SELECT parlance_found_kinds()) AND space_id IN (SELECT parlance_my_spaces())));

CREATE OR REPLACE FUNCTION parlance_leave_rooms() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    -- A room of two that nobody else is in can be read by nobody. The lock has the deletions of the two wait for each other.
    PERFORM FROM rooms JOIN room_members AS own ON own.room_id = rooms.id
    JOIN room_kinds ON room_kinds.kind = rooms.kind AND room_kinds.is_pair
    WHERE own.user_id = OLD.id ORDER BY rooms.id FOR UPDATE OF rooms;
    DELETE FROM rooms USING room_members AS own, room_kinds
    WHERE own.user_id = OLD.id AND rooms.id = own.room_id AND room_kinds.kind = rooms.kind AND room_kinds.is_pair
      AND NOT EXISTS (SELECT FROM room_members AS other JOIN users ON users.id = other.user_id
                      WHERE other.room_id = rooms.id AND other.user_id <> OLD.id);

    INSERT INTO departures (id, room_id, user_id, by_id, at)
    SELECT gen_random_uuid(), own.room_id, OLD.id,
           COALESCE(NULLIF(current_setting('parlance.by', true), '')::uuid, OLD.id), now()
    FROM room_members AS own WHERE own.user_id = OLD.id;

    -- Also where there are other owners: they may be deleted at this moment, and know nothing of this one. The channels of a
    -- space need no owner.
    PERFORM parlance_enqueue_job('rooms.pass_ownership', own.room_id::text, own.room_id::text,
                                 json_build_object('room_id', own.room_id, 'gone', OLD.id))
    FROM room_members AS own JOIN rooms ON rooms.id = own.room_id
    JOIN room_kinds ON room_kinds.kind = rooms.kind AND room_kinds.has_owners
    WHERE own.user_id = OLD.id AND own.role = 'owner' AND rooms.space_id IS NULL
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
