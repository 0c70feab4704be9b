-- Spaces, rooms, members, messages and the other events of a room's one order.

-- A space holds channels, as a server or workspace does elsewhere.
CREATE TABLE spaces (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    topic       text,
    created_by  uuid REFERENCES users ON DELETE SET NULL,
    -- Kept by triggers, as for rooms.
    member_count bigint NOT NULL DEFAULT 0 CHECK (member_count >= 0),
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE space_members (
    space_id    uuid NOT NULL REFERENCES spaces ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role        text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    joined_at   timestamptz NOT NULL,
    PRIMARY KEY (space_id, user_id)
);
CREATE INDEX space_members_user ON space_members (user_id);

-- Every conversation is a room. last_seq is the fence: a writer moves it from the value it knows or writes nothing.
CREATE TABLE rooms (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('direct', 'group', 'channel', 'ai', 'inbox')),
    name            text CHECK (name <> ''),
    topic           text,
    space_id        uuid REFERENCES spaces ON DELETE CASCADE,
    -- The two people of a direct room, the smaller id first: the pair has one room, however often it is made.
    direct_low      uuid REFERENCES users ON DELETE CASCADE,
    direct_high     uuid REFERENCES users ON DELETE CASCADE,
    created_by      uuid REFERENCES users ON DELETE SET NULL,
    last_seq        bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    last_event_at   timestamptz,
    -- Kept by triggers: counting the ten thousand members of a channel of everybody anew for each list cost more than
    -- all the rest of it.
    member_count    bigint NOT NULL DEFAULT 0 CHECK (member_count >= 0),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)),
    CHECK (direct_low < direct_high),
    UNIQUE (direct_low, direct_high)
)
-- last_seq moves with every flush: free room on the page keeps those updates off the indexes.
WITH (fillfactor = 70);
CREATE INDEX rooms_space ON rooms (space_id) WHERE space_id IS NOT NULL;

-- A member is exactly one of a user, an agent, a team or a contact. The tables of the last three come with their
-- features, and their foreign keys with them.
CREATE TABLE room_members (
    room_id         uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id         uuid REFERENCES users ON DELETE CASCADE,
    agent_id        uuid,
    team_id         uuid,
    contact_id      uuid,
    role            text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    -- Receipts as watermarks: everything up to here was delivered, everything up to there was read.
    delivered_seq   bigint NOT NULL DEFAULT 0,
    read_seq        bigint NOT NULL DEFAULT 0,
    joined_at       timestamptz NOT NULL,
    CHECK (num_nonnulls(user_id, agent_id, team_id, contact_id) = 1),
    CHECK (0 <= read_seq AND read_seq <= delivered_seq),
    UNIQUE (room_id, user_id)
)
WITH (fillfactor = 80);
CREATE INDEX room_members_user ON room_members (user_id, room_id);
CREATE UNIQUE INDEX room_members_agent ON room_members (agent_id, room_id) WHERE agent_id IS NOT NULL;
CREATE UNIQUE INDEX room_members_team ON room_members (team_id, room_id) WHERE team_id IS NOT NULL;
CREATE UNIQUE INDEX room_members_contact ON room_members (contact_id, room_id) WHERE contact_id IS NOT NULL;

CREATE TABLE messages (
    room_id             uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    seq                 bigint NOT NULL CHECK (seq > 0),
    id                  uuid NOT NULL UNIQUE,
    -- The engine checks senders before they reach a room; a deleted account's messages stay in the order of the
    -- room, so this is no foreign key.
    sender_user_id      uuid,
    sender_agent_id     uuid,
    sender_contact_id   uuid,
    client_id           text,
    kind                text NOT NULL,
    content             text NOT NULL,
    parts               jsonb,
    metadata            jsonb,
    reply_to            uuid,
    created_at          timestamptz NOT NULL,
    edited_at           timestamptz,
    deleted_at          timestamptz,
    -- Counting what somebody has not read looks at who sent each message. With the sender in the index, that reads a
    -- page or two of it for a room; without, a page of the table for every message, since those of one room lie
    -- scattered.
    PRIMARY KEY (room_id, seq) INCLUDE (sender_user_id),
    CHECK (num_nonnulls(sender_user_id, sender_agent_id, sender_contact_id) = 1)
);
-- One send, one message, for as long as the message exists.
CREATE UNIQUE INDEX messages_client ON messages (room_id, sender_user_id, client_id) WHERE client_id IS NOT NULL;

-- Every durable change that is not a new message, from the same counter.
CREATE TABLE room_events (
    room_id     uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    seq         bigint NOT NULL CHECK (seq > 0),
    -- A change is one row of its room's order, as a message is: whoever writes it again is told where it is.
    id          uuid NOT NULL UNIQUE,
    kind        text NOT NULL,
    actor_id    uuid,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (room_id, seq)
);

-- What a user may read. These run as their owner, so that the policy of room_members does not ask itself.
CREATE FUNCTION parlance_my_rooms() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$ SELECT room_id FROM room_members WHERE user_id = parlance_user_id() $$;

CREATE FUNCTION parlance_my_spaces() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$ SELECT space_id FROM space_members WHERE user_id = parlance_user_id() $$;

ALTER TABLE spaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE space_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY;
ALTER TABLE room_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE room_events ENABLE ROW LEVEL SECURITY;

CREATE POLICY spaces_of_mine ON spaces FOR SELECT
    USING (id IN (SELECT parlance_my_spaces()));
CREATE POLICY people_of_my_spaces ON space_members FOR SELECT
    USING (space_id IN (SELECT parlance_my_spaces()));
-- A channel can be found by everyone in its space; what was said in it only by its members.
CREATE POLICY rooms_of_mine ON rooms FOR SELECT
    USING (id IN (SELECT parlance_my_rooms())
        OR (kind = 'channel' AND space_id IN (SELECT parlance_my_spaces())));
CREATE POLICY people_of_my_rooms ON room_members FOR SELECT
    USING (room_id IN (SELECT parlance_my_rooms()));
CREATE POLICY messages_of_my_rooms ON messages FOR SELECT
    USING (room_id IN (SELECT parlance_my_rooms()));
CREATE POLICY events_of_my_rooms ON room_events FOR SELECT
    USING (room_id IN (SELECT parlance_my_rooms()));

SELECT parlance_grant('SELECT ON spaces, space_members, rooms, room_members, messages, room_events');

-- Counts of members. Once a statement, however many rows it has; the memberships that go with a deleted user count, too. Nobody's
-- membership ever moves to another room or space, so updates change no count.
CREATE FUNCTION parlance_count_members() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
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
    LANGUAGE plpgsql SET search_path FROM CURRENT
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
