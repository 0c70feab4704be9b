-- The lock by which engines take turns to decide about the jobs of one key. Two keys that share one wait for each other
-- needlessly, and do no harm.
CREATE FUNCTION parlance_job_key_lock(kind text, key text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT hashtextextended(kind || ' ' || key, 7305) $$;

-- The door for triggers: what a change in Postgres has to be followed by, enqueued with it. As jobs::store::enqueue does it:
-- one with its dedupe that waits already is locked until the commit, so that it runs after it, and gets this payload.
CREATE FUNCTION parlance_enqueue_job(kind text, key text, dedupe text, payload json) RETURNS void
    LANGUAGE sql SET search_path FROM CURRENT
    AS $$
        INSERT INTO jobs (id, kind, key, dedupe, payload, run_at, created_at)
        -- A UUIDv7, by which lists are in order; PostgreSQL has a function for it from version 18 on.
        VALUES (encode(set_bit(set_bit(overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid,
                $1, $2, $3, $4, now(), now())
        ON CONFLICT (kind, dedupe) WHERE dedupe IS NOT NULL AND dead_at IS NULL AND leased_by IS NULL
            DO UPDATE SET payload = EXCLUDED.payload
    $$;
