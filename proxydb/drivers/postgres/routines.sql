-- The functions, operators and casts that a statement may call and that are not immutable.
-- $1: the words, $2: the words before a parenthesis, $3: the operators, $4: words that name reviewed functions.
-- Columns: what it is, and its name.
SELECT 'function', n.nspname || '.' || p.proname
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.provolatile <> 'i'
  AND p.proname = ANY ($1)
  AND CASE
          WHEN n.nspname = 'pg_catalog' THEN p.proname = ANY ($2) AND p.proname <> ALL ($4)
          ELSE p.proname = ANY ($2) OR p.pronargs - p.pronargdefaults <= 1
      END
UNION ALL
-- An aggregate is called immutable whatever the functions that do its work are.
SELECT 'aggregate', n.nspname || '.' || p.proname
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_aggregate a ON a.aggfnoid = p.oid
JOIN pg_proc worker
    ON worker.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
WHERE p.oid >= 16384
  AND p.proname = ANY ($1)
  AND worker.provolatile <> 'i'
UNION ALL
SELECT 'operator', n.nspname || '.' || o.oprname
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_proc p ON p.oid = o.oprcode
WHERE o.oid >= 16384
  AND p.provolatile <> 'i'
  AND o.oprname = ANY ($3)
UNION ALL
SELECT 'cast', format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL)
FROM pg_cast c
JOIN pg_proc p ON p.oid = c.castfunc
WHERE c.oid >= 16384
  AND p.provolatile <> 'i'
UNION ALL
-- A type's name before a parenthesis casts what is inside, which may say 'now'.
SELECT 'type', format_type(t.oid, NULL)
FROM pg_type t
WHERE t.typname = ANY ($2)
  AND t.typtype <> 'b'
  AND t.typrelid = 0
