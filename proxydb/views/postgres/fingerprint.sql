SELECT md5(coalesce(string_agg(concat_ws('|', c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relispartition,
  (SELECT string_agg(concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull), ',' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  (SELECT string_agg(i.inhrelid::text, ',' ORDER BY i.inhrelid) FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid),
  (SELECT string_agg(concat_ws(' ', t.tgname, t.tgenabled, t.tgtype), ',' ORDER BY t.tgname)
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = c.oid AND p.pronamespace = n2.oid AND starts_with(p.proname, %(prefix)s)),
  (SELECT string_agg(i.indkey::text, ',' ORDER BY i.indkey::text)
    FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique)), ';' ORDER BY c.oid), '')
  || (SELECT coalesce(string_agg(concat_ws('|', o.oid, o.relname, o.relkind), ';' ORDER BY o.oid), '') FROM pg_catalog.pg_class o
    WHERE (o.relnamespace = n2.oid AND starts_with(o.relname, %(prefix)s))
      OR o.oid = pg_catalog.to_regclass(%(view)s))
  || (SELECT coalesce(string_agg(md5(p.prosrc), ';' ORDER BY p.proname), '') FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = n2.oid AND starts_with(p.proname, %(prefix)s)))
FROM (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'proxydb') n2
LEFT JOIN pg_catalog.pg_class c ON c.oid = ANY (%(tables)s::oid[])
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
GROUP BY n2.oid
