-- What the policies of room-keyed tables cost: medians of EXPLAIN ANALYZE, as a reader who is in 500 rooms, of which one has
-- 100 000 messages and the others 100 each, among 1 500 rooms of others. Run by .make/measure-visibility.sh.
\set QUIET on
\pset format aligned
SET client_min_messages = warning;

CREATE FUNCTION bench_id(prefix text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT (prefix || '-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid $$;

INSERT INTO users (id, username, created_at, updated_at)
SELECT bench_id('00000000', n), 'user' || n, now(), now() FROM generate_series(1, 20) AS n;
INSERT INTO rooms (id, kind, name, last_seq, last_event_at, created_at, updated_at)
SELECT bench_id('10000000', n), 'group', 'room' || n, CASE n WHEN 1 THEN 100000 ELSE 100 END, now(), now(), now()
FROM generate_series(1, 2000) AS n;
INSERT INTO room_members (room_id, user_id, role, delivered_seq, read_seq, joined_at)
SELECT bench_id('10000000', n), bench_id('00000000', m), 'member', 100, 50, now()
FROM generate_series(1, 2000) AS n, generate_series(1, 20) AS m WHERE (n <= 500) = (m <= 10);
INSERT INTO messages (room_id, seq, id, sender_user_id, kind, content, created_at)
SELECT bench_id('10000000', room), seq, gen_random_uuid(), bench_id('00000000', 1 + (room + seq) % 10), 'text',
       repeat('word ', 20), now()
FROM generate_series(1, 2000) AS room, generate_series(1, CASE room WHEN 1 THEN 100000 ELSE 100 END) AS seq;
VACUUM ANALYZE;

-- The median of 201 runs, in milliseconds: planning and execution.
CREATE FUNCTION bench_median(query text, OUT planning numeric, OUT execution numeric) LANGUAGE plpgsql AS $$
DECLARE
    explained json;
    plannings numeric[];
    executions numeric[];
BEGIN
    FOR _ IN 1..201 LOOP
        EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO explained;
        plannings := plannings || (explained -> 0 ->> 'Planning Time')::numeric;
        executions := executions || (explained -> 0 ->> 'Execution Time')::numeric;
    END LOOP;
    SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY of_one)::numeric, 3) INTO planning FROM unnest(plannings) AS of_one;
    SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY of_one)::numeric, 3) INTO execution FROM unnest(executions) AS of_one;
END
$$;

CREATE VIEW bench_queries AS SELECT * FROM (VALUES
    ('page of 100 messages', $$
        SELECT seq, id, sender_user_id, client_id, kind, content, parts, reply_to, created_at FROM messages
        WHERE room_id = '10000000-0000-0000-0000-000000000001' AND seq < 50000 ORDER BY seq DESC LIMIT 101 $$),
    ('page of 1000 messages', $$
        SELECT seq, id, sender_user_id, client_id, kind, content, parts, reply_to, created_at FROM messages
        WHERE room_id = '10000000-0000-0000-0000-000000000001' AND seq > 50000 ORDER BY seq LIMIT 1000 $$),
    ('newest seq of a room', $$
        SELECT last_seq FROM rooms WHERE id = '10000000-0000-0000-0000-000000000001'
        AND EXISTS (SELECT FROM room_members WHERE room_id = '10000000-0000-0000-0000-000000000001') $$),
    ('GET /rooms, 100 rooms', $$
        SELECT r.id, r.kind, r.name, r.last_seq, me.role,
               CASE WHEN me.read_seq < r.last_seq THEN (
                   SELECT count(*) FROM (
                       SELECT FROM (
                           SELECT m.sender_user_id AS sender FROM messages m
                           WHERE m.room_id = r.id AND m.seq > me.read_seq ORDER BY m.seq LIMIT 1000) AS newer
                       WHERE newer.sender IS DISTINCT FROM '00000000-0000-0000-0000-000000000001' LIMIT 100) AS of_others) END
        FROM unnest(ARRAY(SELECT ('10000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(1, 100) AS n))
             WITH ORDINALITY AS wanted (room_id, place)
        JOIN rooms r ON r.id = wanted.room_id
        LEFT JOIN room_members me ON me.room_id = r.id AND me.user_id = '00000000-0000-0000-0000-000000000001'
        WHERE r.kind IN ('direct', 'group', 'channel') ORDER BY wanted.place $$),
    ('unread of 500 rooms', $$
        SELECT me.room_id, (
            SELECT LEAST(count(*), 100) FROM (
                SELECT m.sender_user_id AS sender FROM messages m
                WHERE m.room_id = me.room_id AND m.seq > me.read_seq ORDER BY m.seq LIMIT 1000) AS newer
            WHERE newer.sender IS DISTINCT FROM '00000000-0000-0000-0000-000000000001')
        FROM room_members me WHERE me.user_id = '00000000-0000-0000-0000-000000000001' $$)
) AS queries (what, query);
GRANT SELECT ON bench_queries TO :"reader";

\echo Of all rooms of the reader:
BEGIN;
SELECT set_config('role', :'reader', true), set_config('parlance.user_id', bench_id('00000000', 1)::text, true) \g /dev/null
SELECT what, measured.* FROM bench_queries, bench_median(query) AS measured;
ROLLBACK;

\echo In one room (parlance.room):
BEGIN;
SELECT set_config('role', :'reader', true), set_config('parlance.user_id', bench_id('00000000', 1)::text, true),
       set_config('parlance.room', bench_id('10000000', 1)::text, true) \g /dev/null
SELECT what, measured.* FROM bench_queries, bench_median(query) AS measured WHERE what NOT LIKE '%rooms%';
ROLLBACK;
