-- What follows a commit, and what is due at a time. A row is a job that has not been done; a job that is done has none.

-- The order in which jobs were enqueued. Not the id: ids follow the clocks of engines, which differ.
CREATE SEQUENCE jobs_place;

CREATE TABLE jobs (
    id           uuid PRIMARY KEY,
    -- Which handler runs it.
    kind         text NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 100),
    -- Jobs of one kind and key run one after the other, in the order of their places; those without a key in any.
    key          text CHECK (octet_length(key) <= 500),
    -- Of those that wait to be run, one a kind and dedupe.
    dedupe       text CHECK (octet_length(dedupe) <= 500),
    place        bigint NOT NULL DEFAULT nextval('jobs_place'),
    -- As its feature wrote it: nobody asks Postgres for what is in it. May hold what is private.
    payload      json NOT NULL,
    -- Not before.
    run_at       timestamptz NOT NULL,
    -- How often an engine took it; with leased_by it names one lease.
    attempts     integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- The engine that runs it, and until when that is so unless it says otherwise.
    leased_by    uuid,
    leased_until timestamptz,
    -- An earlier one of its key is in the way: no engine looks at it before, unless that one ends.
    behind_until timestamptz,
    last_error   text,
    -- Given up: a dead letter, which waits for an admin and stands in nobody's way.
    dead_at      timestamptz,
    created_at   timestamptz NOT NULL,
    CHECK ((leased_by IS NULL) = (leased_until IS NULL)),
    CHECK (dead_at IS NULL OR leased_by IS NULL)
) WITH (
    -- Rows live for moments: without this the index of what is due would be full of the dead.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 1000
);
ALTER SEQUENCE jobs_place OWNED BY jobs.place;

-- What is due, of a kind. A lease that ran out is due as well.
CREATE INDEX jobs_due ON jobs (kind, GREATEST(run_at, leased_until, behind_until), place) WHERE dead_at IS NULL;
-- Which one of a key is first, and whether one of it runs.
CREATE INDEX jobs_order ON jobs (kind, key, place) WHERE key IS NOT NULL AND dead_at IS NULL;
CREATE INDEX jobs_leased ON jobs (kind, key) WHERE leased_by IS NOT NULL;
CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe)
    WHERE dedupe IS NOT NULL AND dead_at IS NULL AND leased_by IS NULL;
-- For admins, and for the end of dead letters.
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE dead_at IS NOT NULL;

-- When each schedule enqueues its job next: one row for all engines.
CREATE TABLE job_schedules (
    kind         text PRIMARY KEY,
    next_at      timestamptz NOT NULL
);

-- Nobody's read for a user finds a row: there are no policies and no grants.
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_schedules ENABLE ROW LEVEL SECURITY;
