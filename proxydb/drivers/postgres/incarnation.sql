-- Which server this is, and since when: after a crash, transaction ids may be given out a second time, so labels of one
-- incarnation say nothing in the next. A crash ends every connection, so once for each connection is enough.
SELECT pg_catalog.concat_ws(
    '/',
    (SELECT system_identifier FROM pg_catalog.pg_control_system()),
    (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()),
    pg_catalog.pg_postmaster_start_time(),
    (SELECT stats_reset FROM pg_catalog.pg_stat_wal),
    (SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
)
