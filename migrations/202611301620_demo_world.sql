-- What was made of the demo world (src/engine/demo), so that all of it can be removed and nothing else.

-- The parts that are whole. Where one was removed, none is made again.
CREATE TABLE demo_parts (
    part        text PRIMARY KEY,
    made_at     timestamptz NOT NULL,
    removed_at  timestamptz
);

-- No foreign keys: what somebody deleted otherwise is gone as well.
CREATE TABLE demo_made (
    kind        text NOT NULL CHECK (kind IN ('user', 'room', 'space')),
    id          uuid NOT NULL,
    PRIMARY KEY (kind, id)
);

-- The engine's own; nobody reads it.
ALTER TABLE demo_parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE demo_made ENABLE ROW LEVEL SECURITY;
