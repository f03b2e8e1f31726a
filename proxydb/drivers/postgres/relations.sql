-- The relations that a word of a statement may name, with their partitions and inheritance children.
-- $1: the words. Columns: oid; qualified name; kind; whether rows are filtered by policies; persistence; whether it is
-- the system's own; whether a column holds a time of day, by itself or inside; the definition of a view.
WITH RECURSIVE named AS (
    SELECT c.oid
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY ($1)
      AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 't')
      AND (pg_table_is_visible(c.oid) OR n.nspname = ANY ($1))
    UNION
    SELECT i.inhrelid
    FROM named
    JOIN pg_inherits i ON i.inhparent = named.oid
), held AS (
    -- Of the types that come with the server (OIDs below 16384) only these four have to do with times of day. Walking
    -- through the others too would make the estimated cost so high that the server compiles this query (jit_above_cost).
    SELECT a.attrelid AS relation, a.atttypid AS type
    FROM named
    JOIN pg_attribute a ON a.attrelid = named.oid AND a.attnum > 0
    WHERE a.atttypid >= 16384
        OR a.atttypid IN ('time'::regtype, 'timetz'::regtype, 'time[]'::regtype, 'timetz[]'::regtype)
    UNION
    SELECT held.relation, part.type
    FROM held
    JOIN pg_type t ON t.oid = held.type AND t.oid >= 16384
    CROSS JOIN LATERAL (
        VALUES (t.typbasetype), (t.typelem)
        UNION ALL
        SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
        UNION ALL
        SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
    ) AS part (type)
    WHERE part.type >= 16384
        OR part.type IN ('time'::regtype, 'timetz'::regtype, 'time[]'::regtype, 'timetz[]'::regtype)
)
SELECT
    c.oid::text,
    n.nspname || '.' || c.relname,
    c.relkind::text,
    c.relrowsecurity::text,
    c.relpersistence::text,
    (n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))::text,
    EXISTS (
        SELECT
        FROM held
        WHERE held.relation = c.oid AND held.type < 16384
    )::text,
    CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
FROM named
JOIN pg_class c ON c.oid = named.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
