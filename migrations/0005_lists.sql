-- What lists of rooms and spaces show, at hand when they are read.

-- Counting what somebody has not read looks at who sent each message. With the sender in the index, that reads a page
-- or two of it for a room; without, a page of the table for every message, since those of one room lie scattered.
ALTER TABLE messages
    DROP CONSTRAINT messages_pkey,
    ADD CONSTRAINT messages_pkey PRIMARY KEY (room_id, seq) INCLUDE (sender_user_id);

-- How many members a room or a space has: counting the ten thousand members of a channel of everybody anew for each
-- list cost more than all the rest of it.

ALTER TABLE rooms ADD COLUMN member_count bigint NOT NULL DEFAULT 0 CHECK (member_count >= 0);
ALTER TABLE spaces ADD COLUMN member_count bigint NOT NULL DEFAULT 0 CHECK (member_count >= 0);

UPDATE rooms SET member_count = counted.members
FROM (SELECT room_id, count(*) AS members FROM room_members GROUP BY room_id) AS counted
WHERE rooms.id = counted.room_id;

UPDATE spaces SET member_count = counted.members
FROM (SELECT space_id, count(*) AS members FROM space_members GROUP BY space_id) AS counted
WHERE spaces.id = counted.space_id;

-- Once a statement, however many rows it has; the memberships that go with a deleted user count, too. Nobody's
-- membership ever moves to another room or space, so updates change no count.
CREATE FUNCTION parlance_count_members() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    direction CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE rooms SET member_count = member_count + direction * moved.members
    FROM (SELECT room_id, count(*) AS members FROM changed GROUP BY room_id) AS moved
    WHERE rooms.id = moved.room_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION parlance_count_space_members() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    direction CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE spaces SET member_count = member_count + direction * moved.members
    FROM (SELECT space_id, count(*) AS members FROM changed GROUP BY space_id) AS moved
    WHERE spaces.id = moved.space_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER count_joining
    AFTER INSERT ON room_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_count_members();

CREATE TRIGGER count_leaving
    AFTER DELETE ON room_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_count_members();

CREATE TRIGGER count_joining
    AFTER INSERT ON space_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_count_space_members();

CREATE TRIGGER count_leaving
    AFTER DELETE ON space_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_count_space_members();
