-- A database as builds before migrations were named by time made it, with something said in it.

CREATE TABLE _sqlx_migrations (
    version bigint PRIMARY KEY,
    description text NOT NULL,
    installed_on timestamptz NOT NULL DEFAULT now(),
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES
    (1, 'foundation', true, '', 0), (2, 'accounts', true, '', 0), (3, 'rooms', true, '', 0),
    (4, 'changes', true, '', 0), (5, 'lists', true, '', 0), (6, 'changes once', true, '', 0);

-- What every later migration leans on: extensions, the role that reads for users, and who that user is.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Reads for a user run under this role, for which row level security holds. Roles belong to the whole server,
-- so another database on it may have made this one already, or be making it right now.
DO $$
BEGIN
    CREATE ROLE parlance_reader NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT parlance_reader TO %I', current_user);
EXCEPTION
    WHEN unique_violation THEN NULL;
    -- Two databases that migrate at once may update the same row of the role catalogue.
    WHEN internal_error THEN
        IF SQLERRM NOT LIKE '%concurrently updated%' THEN RAISE; END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO parlance_reader;

-- The user for whom this transaction reads; NULL, and so nobody, when none was set.
CREATE FUNCTION parlance_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('parlance.user_id', true), '')::uuid $$;

-- Accounts: who there is, how they prove it, and on which devices they are signed in.
--
-- What everybody may see (`users`) and what only its owner or only the engine may see (`accounts`,
-- `refresh_tokens`, `external_identities`) are different tables, so that no read made for a user can reach a
-- password hash, and no write of a profile can reach a role. The engine sets all times from its own clock.

-- The public side of a person.
CREATE TABLE users (
    id             uuid PRIMARY KEY,
    -- Case is kept and ignored: "Ada" and "ada" are one name. ASCII, so that no two names look the same.
    username       citext NOT NULL UNIQUE CHECK (username::text ~ '^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$'),
    full_name      text CHECK (char_length(full_name) BETWEEN 1 AND 100),
    avatar_url     text CHECK (octet_length(avatar_url) BETWEEN 1 AND 2048),
    status_message text CHECK (char_length(status_message) BETWEEN 1 AND 200),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    -- Not granted to readers: presence decides who learns it, for a user may be invisible.
    last_seen_at   timestamptz,
    -- Set: the account is closed for signing in; its messages keep their author.
    disabled_at    timestamptz
);

-- Searching people by a part of either name.
CREATE INDEX users_search ON users USING gin (lower(username::text) gin_trgm_ops, lower(full_name) gin_trgm_ops);

-- The private side of the same person.
CREATE TABLE accounts (
    user_id         uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- NULL for a user of an outside issuer, whose address is that issuer's business.
    email           citext UNIQUE CHECK (octet_length(email::text) BETWEEN 3 AND 254),
    role            text NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'user')),
    -- argon2id in PHC form, so that it says its own parameters; NULL: signing in with a password is not possible.
    password_hash   text,
    phone           text CHECK (phone ~ '^\+[0-9]{7,15}$'),
    preferences     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    last_sign_in_at timestamptz
);

-- A sign-in on a device, and all refresh tokens that rotate from it. Revoking it ends them all.
CREATE TABLE token_families (
    id                uuid PRIMARY KEY,
    user_id           uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The client's own name for the device; signing in again on it replaces the family.
    device_id         text CHECK (char_length(device_id) BETWEEN 1 AND 64),
    device_name       text CHECK (char_length(device_name) BETWEEN 1 AND 100),
    created_at        timestamptz NOT NULL,
    last_used_at      timestamptz NOT NULL,
    -- When the last token of each sort ends: until then a revoked family is remembered, after that it is deleted.
    access_expires_at timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    revoked_at        timestamptz,
    revoked_reason    text CHECK (revoked_reason IN ('logout', 'reuse', 'replaced', 'too_many', 'disabled')),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);

CREATE INDEX token_families_of_user ON token_families (user_id, last_used_at);
-- What the engine loads at start: families whose access tokens must be refused although they have not run out.
CREATE INDEX token_families_revoked ON token_families (access_expires_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX token_families_expiry ON token_families (expires_at);

-- Used tokens stay until they expire, because using one a second time is how a theft shows.
CREATE TABLE refresh_tokens (
    -- SHA-256 of 256 random bits: nothing to guess, so nothing slower is needed, and a stolen backup signs nobody in.
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    family_id  uuid NOT NULL REFERENCES token_families (id) ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Who a subject of an outside issuer is here. Never matched by email: whoever controls an issuer could claim any.
CREATE TABLE external_identities (
    issuer     text NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 500),
    subject    text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX external_identities_of_user ON external_identities (user_id);

-- Reads for a user. No table grants a write to the role, and the columns of each grant are all that it can name:
-- `SELECT *` fails rather than leaks.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_families ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_identities ENABLE ROW LEVEL SECURITY;

CREATE POLICY signed_in_see_people ON users FOR SELECT TO parlance_reader
    USING (parlance_user_id() IS NOT NULL);
GRANT SELECT (id, username, full_name, avatar_url, status_message, created_at, disabled_at)
    ON users TO parlance_reader;

CREATE POLICY own_account ON accounts FOR SELECT TO parlance_reader
    USING (user_id = parlance_user_id());
GRANT SELECT (user_id, email, role, phone, preferences, last_sign_in_at) ON accounts TO parlance_reader;

CREATE POLICY own_devices ON token_families FOR SELECT TO parlance_reader
    USING (user_id = parlance_user_id());
GRANT SELECT (id, user_id, device_id, device_name, created_at, last_used_at, expires_at, revoked_at, revoked_reason)
    ON token_families TO parlance_reader;

-- The directory that user search reads. Under a policy Postgres uses an index only for leakproof operators, and
-- neither LIKE nor citext's are, so a search of `users` itself would read every row. This view runs as its owner,
-- shows the public columns, and shows them to anybody who is signed in: the same rule, with the indexes.
CREATE VIEW user_directory AS
    SELECT id, username, full_name, avatar_url, created_at
    FROM users
    WHERE parlance_user_id() IS NOT NULL AND disabled_at IS NULL;
GRANT SELECT ON user_directory TO parlance_reader;

-- Spaces, rooms, members, messages and the other events of a room's one order.

-- A space holds channels, as a server or workspace does elsewhere.
CREATE TABLE spaces (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    topic       text,
    created_by  uuid REFERENCES users ON DELETE SET NULL,
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
    PRIMARY KEY (room_id, seq),
    CHECK (num_nonnulls(sender_user_id, sender_agent_id, sender_contact_id) = 1)
);
-- One send, one message, for as long as the message exists.
CREATE UNIQUE INDEX messages_client ON messages (room_id, sender_user_id, client_id) WHERE client_id IS NOT NULL;

-- Every durable change that is not a new message, from the same counter.
CREATE TABLE room_events (
    room_id     uuid NOT NULL REFERENCES rooms ON DELETE CASCADE,
    seq         bigint NOT NULL CHECK (seq > 0),
    id          uuid NOT NULL,
    kind        text NOT NULL,
    actor_id    uuid,
    payload     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (room_id, seq)
);

-- What a user may read. These run as their owner, so that the policy of room_members does not ask itself.
CREATE FUNCTION parlance_my_rooms() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
    AS $$ SELECT room_id FROM room_members WHERE user_id = parlance_user_id() $$;

CREATE FUNCTION parlance_my_spaces() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
    AS $$ SELECT space_id FROM space_members WHERE user_id = parlance_user_id() $$;

ALTER TABLE spaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE space_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY;
ALTER TABLE room_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE room_events ENABLE ROW LEVEL SECURITY;

CREATE POLICY spaces_of_mine ON spaces FOR SELECT TO parlance_reader
    USING (id IN (SELECT parlance_my_spaces()));
CREATE POLICY people_of_my_spaces ON space_members FOR SELECT TO parlance_reader
    USING (space_id IN (SELECT parlance_my_spaces()));
-- A channel can be found by everyone in its space; what was said in it only by its members.
CREATE POLICY rooms_of_mine ON rooms FOR SELECT TO parlance_reader
    USING (id IN (SELECT parlance_my_rooms())
        OR (kind = 'channel' AND space_id IN (SELECT parlance_my_spaces())));
CREATE POLICY people_of_my_rooms ON room_members FOR SELECT TO parlance_reader
    USING (room_id IN (SELECT parlance_my_rooms()));
CREATE POLICY messages_of_my_rooms ON messages FOR SELECT TO parlance_reader
    USING (room_id IN (SELECT parlance_my_rooms()));
CREATE POLICY events_of_my_rooms ON room_events FOR SELECT TO parlance_reader
    USING (room_id IN (SELECT parlance_my_rooms()));

GRANT SELECT ON spaces, space_members, rooms, room_members, messages, room_events TO parlance_reader;

-- Tells every engine on this database what was changed, whoever changed it, so that what engines keep in memory is
-- right. The channel is parlance_changes; src/changes reads it. A transaction that notifies takes a lock of the whole
-- server when it commits, so nothing here fires for a message, a read mark or a token that is refreshed.

-- 'user ID': what people see of somebody, or the standing of their account. 'closed ID': disabled or deleted.
CREATE FUNCTION parlance_tell_of_user() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('parlance_changes', 'closed ' || OLD.id);
    ELSIF NEW.disabled_at IS NOT NULL AND OLD.disabled_at IS NULL THEN
        PERFORM pg_notify('parlance_changes', 'closed ' || NEW.id);
    ELSE
        PERFORM pg_notify('parlance_changes', 'user ' || NEW.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF username, full_name, avatar_url, status_message, created_at, disabled_at ON users
    FOR EACH ROW
    WHEN ((OLD.username::text, OLD.full_name, OLD.avatar_url, OLD.status_message, OLD.created_at, OLD.disabled_at)
        IS DISTINCT FROM
        (NEW.username::text, NEW.full_name, NEW.avatar_url, NEW.status_message, NEW.created_at, NEW.disabled_at))
    EXECUTE FUNCTION parlance_tell_of_user();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION parlance_tell_of_user();

CREATE FUNCTION parlance_tell_of_account() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('parlance_changes', 'closed ' || OLD.user_id);
    ELSE
        PERFORM pg_notify('parlance_changes', 'user ' || NEW.user_id);
    END IF;
    RETURN NULL;
END
$$;

-- Not password_hash and last_sign_in_at: signing in changes nothing that is kept.
CREATE TRIGGER tell_of_change
    AFTER UPDATE OF email, role, phone, preferences ON accounts
    FOR EACH ROW
    WHEN ((OLD.email::text, OLD.role, OLD.phone, OLD.preferences)
        IS DISTINCT FROM (NEW.email::text, NEW.role, NEW.phone, NEW.preferences))
    EXECUTE FUNCTION parlance_tell_of_account();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION parlance_tell_of_account();

-- 'signed_out USER FAMILY UNIX_SECONDS REASON': no token of the family is good any more; the last of its access tokens
-- ends by itself at that time.
CREATE FUNCTION parlance_tell_of_deleted_families() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', concat_ws(' ', 'signed_out', ended.user_id, ended.id,
        ceil(extract(epoch FROM ended.access_expires_at))::bigint, COALESCE(ended.revoked_reason, 'logout')))
    FROM ended
    -- Families that are deleted because they have run out are nobody's news.
    WHERE ended.access_expires_at > now();
    RETURN NULL;
END
$$;

CREATE FUNCTION parlance_tell_of_sign_out() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', concat_ws(' ', 'signed_out', NEW.user_id, NEW.id,
        ceil(extract(epoch FROM NEW.access_expires_at))::bigint, NEW.revoked_reason));
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF revoked_at ON token_families
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION parlance_tell_of_sign_out();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON token_families
    REFERENCING OLD TABLE AS ended
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_deleted_families();

-- 'identities': who some subject of an outside issuer is here. Such rows are made once and hardly ever touched again.
CREATE FUNCTION parlance_tell_of_identities() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', 'identities');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OR DELETE ON external_identities
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_identities();

-- 'joined ROOM USER,USER,…' and 'left ROOM USER,USER,…', as many users as fit the 8000 bytes of a notification: a room
-- of ten thousand is made with fifty of them.
CREATE FUNCTION parlance_tell_of_members() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes',
        concat_ws(' ', CASE TG_OP WHEN 'INSERT' THEN 'joined' ELSE 'left' END, part.room_id, part.users))
    FROM (
        SELECT numbered.room_id, string_agg(numbered.user_id::text, ',') AS users
        FROM (
            SELECT room_id, user_id, (row_number() OVER (PARTITION BY room_id) - 1) / 200 AS part
            FROM changed WHERE user_id IS NOT NULL
        ) AS numbered
        GROUP BY numbered.room_id, numbered.part
    ) AS part;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_joining
    AFTER INSERT ON room_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_members();

CREATE TRIGGER tell_of_leaving
    AFTER DELETE ON room_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_members();

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


INSERT INTO users (id, username, created_at, updated_at)
VALUES ('01900000-0000-7000-8000-000000000001', 'ada', now(), now()),
       ('01900000-0000-7000-8000-000000000002', 'ben', now(), now());
INSERT INTO accounts (user_id, email, role)
VALUES ('01900000-0000-7000-8000-000000000001', 'ada@example.com', 'admin'),
       ('01900000-0000-7000-8000-000000000002', 'ben@example.com', 'user');
INSERT INTO rooms (id, kind, name, last_seq, created_at, updated_at)
VALUES ('01900000-0000-7000-8000-000000000003', 'group', 'Early', 1, now(), now());
INSERT INTO room_members (room_id, user_id, role, joined_at)
VALUES ('01900000-0000-7000-8000-000000000003', '01900000-0000-7000-8000-000000000001', 'owner', now()),
       ('01900000-0000-7000-8000-000000000003', '01900000-0000-7000-8000-000000000002', 'member', now());
INSERT INTO messages (room_id, seq, id, sender_user_id, kind, content, created_at)
VALUES ('01900000-0000-7000-8000-000000000003', 1, '01900000-0000-7000-8000-000000000004',
        '01900000-0000-7000-8000-000000000001', 'text', 'said early', now());
