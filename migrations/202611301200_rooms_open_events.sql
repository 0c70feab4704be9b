-- Events of any kind in a room's order, and payloads and parts that are told byte for byte as they were sent.

ALTER TABLE messages ALTER COLUMN parts TYPE json USING parts::json;

ALTER TABLE room_events
    ALTER COLUMN payload TYPE json USING payload::json,
    -- Its fields stand beside the place of the event when it is told.
    ADD CHECK (json_typeof(payload) = 'object'),
    -- The author's own id for the change: sent again, it is the first one.
    ADD COLUMN client_id text,
    -- The message that is not any more what it was.
    ADD COLUMN touches uuid;

CREATE UNIQUE INDEX room_events_client ON room_events (room_id, actor_id, client_id) WHERE client_id IS NOT NULL;
-- What became of one message.
CREATE INDEX room_events_touches ON room_events (room_id, touches, seq) WHERE touches IS NOT NULL;
