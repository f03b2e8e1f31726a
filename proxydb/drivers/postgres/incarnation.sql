-- Which server this is, and since when: after a crash, transaction ids may be given out a second time, so labels of one
-- incarnation say nothing in the next. A crash ends every connection, so once for each connection is enough.
SELECT concat_ws(
    '/',
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT timeline_id FROM pg_control_checkpoint()),
    pg_postmaster_start_time(),
    (SELECT stats_reset FROM pg_stat_wal),
    (SELECT oid FROM pg_database WHERE datname = current_database())
)
