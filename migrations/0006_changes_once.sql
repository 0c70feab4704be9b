-- A change is one row of its room's order, as a message is: whoever writes it again is told where it is.

-- Engines before this could write one twice, when a statement that they had given up was committed late. Its second row
-- stays in the order that everybody has seen, as a change of its own.
UPDATE room_events SET id = gen_random_uuid()
WHERE (room_id, seq) IN (
    SELECT room_id, seq
    FROM (SELECT room_id, seq, row_number() OVER (PARTITION BY id ORDER BY room_id, seq) AS place FROM room_events) AS row
    WHERE place > 1
);

ALTER TABLE room_events ADD CONSTRAINT room_events_id_key UNIQUE (id);
