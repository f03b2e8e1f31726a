-- The relations that a word of a statement may name, with their partitions and inheritance children.
-- $1: the words. Columns: oid; qualified name; kind; whether rows are filtered by policies; persistence; whether it is
-- the system's own; whether it has a column with a time of day; the definition of a view.
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
        FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid IN ('time'::regtype, 'timetz'::regtype)
    )::text,
    CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
FROM named
JOIN pg_class c ON c.oid = named.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
