-- What becomes of the rooms of somebody whose account is deleted, whoever deletes it: the order of each tells that they are
-- out of it, somebody else owns what they owned, and a direct room stays readable for the other one.

-- A direct room outlives one of its two people; the pair is no pair any more.
ALTER TABLE rooms DROP CONSTRAINT rooms_direct_low_fkey, DROP CONSTRAINT rooms_direct_high_fkey, DROP CONSTRAINT rooms_check;
ALTER TABLE rooms
    ADD FOREIGN KEY (direct_low) REFERENCES users ON DELETE SET NULL,
    ADD FOREIGN KEY (direct_high) REFERENCES users ON DELETE SET NULL,
    ADD CHECK (kind = 'direct' OR (direct_low IS NULL AND direct_high IS NULL));
-- The unique index finds the lower one only, and deleting somebody looks for both.
CREATE INDEX rooms_direct_high ON rooms (direct_high) WHERE direct_high IS NOT NULL;

-- Groups that may have lost their last owner. An engine has the room pass ownership on, in its order, and takes the row
-- out; until then the row is here, through crashes and restarts.
CREATE TABLE successions (
    -- Another one for each owner who is deleted, so that nobody takes a row out for an earlier reason.
    id          uuid NOT NULL,
    room_id     uuid PRIMARY KEY REFERENCES rooms ON DELETE CASCADE,
    -- The owner who was deleted.
    gone_id     uuid NOT NULL
);

-- The engine's own; nobody reads it.
ALTER TABLE successions ENABLE ROW LEVEL SECURITY;

-- Before the account goes, while its memberships are there; they follow by their foreign keys.
CREATE FUNCTION parlance_leave_rooms() RETURNS trigger
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
    INSERT INTO successions (id, room_id, gone_id)
    SELECT gen_random_uuid(), own.room_id, OLD.id
    FROM room_members AS own JOIN rooms ON rooms.id = own.room_id
    WHERE own.user_id = OLD.id AND own.role = 'owner' AND rooms.kind IN ('group', 'channel') AND rooms.space_id IS NULL
    ON CONFLICT (room_id) DO UPDATE SET id = EXCLUDED.id, gone_id = EXCLUDED.gone_id;

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

CREATE TRIGGER leave_rooms
    BEFORE DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION parlance_leave_rooms();
