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
SELECT 'operator', n.nspname || '.' || o.oprname
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_proc p ON p.oid = o.oprcode
WHERE n.nspname <> 'pg_catalog'
  AND p.provolatile <> 'i'
  AND o.oprname = ANY ($3)
UNION ALL
SELECT 'cast', format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL)
FROM pg_cast c
JOIN pg_proc p ON p.oid = c.castfunc
WHERE c.oid >= 16384
  AND p.provolatile <> 'i'
