-- What messages said before they were edited or deleted, for whoever moderates the room.

CREATE TABLE message_versions (
    room_id     uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    message_id  uuid NOT NULL,
    -- The event that ended this version.
    seq         bigint NOT NULL,
    content     text NOT NULL,
    parts       json,
    until       timestamptz NOT NULL,
    PRIMARY KEY (room_id, message_id, seq)
);

-- Owners and admins of the room who are in it, and those of its space.
CREATE FUNCTION parlance_moderates(room uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$
        SELECT EXISTS (
            SELECT FROM room_members AS own
            WHERE own.room_id = room AND own.user_id = parlance_user_id()
              AND (own.role IN ('owner', 'admin')
                   OR EXISTS (SELECT FROM rooms JOIN space_members AS above ON above.space_id = rooms.space_id
                              WHERE rooms.id = room AND above.user_id = parlance_user_id()
                                AND above.role IN ('owner', 'admin'))))
    $$;

ALTER TABLE message_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY versions_of_rooms_that_i_moderate ON message_versions FOR SELECT
    USING (parlance_moderates(room_id));
SELECT parlance_grant('SELECT ON message_versions');
