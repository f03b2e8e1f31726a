-- The state of the catalog, as far as a verdict on a statement rests on it: what is new, what the statement's words name
-- now, and what has changed of it.
-- $1: oids of its relations, $2: names of its functions, $3: its words.
SELECT concat_ws(
    ' ',
    (SELECT max(oid) FROM pg_proc),
    (SELECT max(oid) FROM pg_operator),
    (SELECT max(oid) FROM pg_cast),
    (SELECT max(oid) FROM pg_type),
    (SELECT string_agg(n.oid || ':' || n.xmin, ',' ORDER BY n.oid) FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp_'),
    (SELECT string_agg(c.oid || ':' || c.xmin, ',' ORDER BY c.oid) FROM pg_class c WHERE c.relname = ANY ($3)),
    (SELECT string_agg(c.oid || ':' || c.xmin, ',' ORDER BY c.oid) FROM pg_class c WHERE c.oid = ANY ($1::oid[])),
    (SELECT string_agg(r.oid || ':' || r.xmin, ',' ORDER BY r.oid) FROM pg_rewrite r WHERE r.ev_class = ANY ($1::oid[])),
    (SELECT string_agg(i.inhrelid || ':' || i.xmin, ',' ORDER BY i.inhrelid)
     FROM pg_inherits i
     WHERE i.inhparent = ANY ($1::oid[])),
    (SELECT string_agg(p.oid || ':' || p.xmin, ',' ORDER BY p.oid) FROM pg_proc p WHERE p.proname = ANY ($2)),
    (SELECT count(*) || ':' || sum(p.xmin::text::bigint) FROM pg_proc p WHERE p.oid >= 16384)
)
