-- Whoever is out of a space is out of its channels: in the same transaction, whoever takes them out and by whatever means.

-- Who is a channel's member no more, and of whom its order has to tell yet. The room takes the row out with the event that
-- tells it, so that it is told exactly once, also when the engine ends in between.
CREATE TABLE departures (
    -- The event's.
    id          uuid PRIMARY KEY,
    room_id     uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id     uuid NOT NULL,
    by_id       uuid NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX departures_room ON departures (room_id);

-- The engine's own; nobody reads it.
ALTER TABLE departures ENABLE ROW LEVEL SECURITY;

-- parlance.by: who takes them out. Nobody who is deleted with their account, or with the space, is told of.
CREATE FUNCTION parlance_leave_channels() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    WITH out_of AS (
        DELETE FROM room_members
        USING gone, rooms
        WHERE rooms.space_id = gone.space_id
          AND room_members.room_id = rooms.id AND room_members.user_id = gone.user_id
        RETURNING room_members.room_id, room_members.user_id, gone.space_id
    )
    INSERT INTO departures (id, room_id, user_id, by_id, at)
    SELECT gen_random_uuid(), out_of.room_id, out_of.user_id,
           COALESCE(NULLIF(current_setting('parlance.by', true), '')::uuid, out_of.user_id), now()
    FROM out_of
    WHERE EXISTS (SELECT FROM users WHERE users.id = out_of.user_id)
      AND EXISTS (SELECT FROM spaces WHERE spaces.id = out_of.space_id);
    RETURN NULL;
END
$$;

CREATE TRIGGER leave_channels
    AFTER DELETE ON space_members
    REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_leave_channels();
