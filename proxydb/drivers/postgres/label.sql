-- The label of what a statement run now would see, and the state of the session.
-- Columns: the snapshot; then, with the unit separator between them, the own transaction id (empty while it has written
-- nothing), the isolation level, whether the session has temporary objects, the role, and those settings that a result
-- depends on and that the server does not report by itself.
-- Every name says that it is the system's own: what the session's search_path puts before it must not answer.
SELECT
    pg_catalog.pg_current_snapshot()::pg_catalog.text,
    pg_catalog.concat_ws(
        pg_catalog.chr(31),
        coalesce(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, ''),
        pg_catalog.current_setting('transaction_isolation'),
        pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.<>) 0,
        current_user,
        pg_catalog.current_setting('search_path'),
        pg_catalog.current_setting('extra_float_digits'),
        pg_catalog.current_setting('bytea_output'),
        pg_catalog.current_setting('backslash_quote'),
        pg_catalog.current_setting('transform_null_equals'),
        pg_catalog.current_setting('array_nulls'),
        pg_catalog.current_setting('quote_all_identifiers'),
        pg_catalog.current_setting('default_text_search_config'),
        pg_catalog.current_setting('timezone_abbreviations'),
        pg_catalog.current_setting('gin_fuzzy_search_limit'),
        pg_catalog.current_setting('row_security'),
        pg_catalog.current_setting('lc_monetary'),
        pg_catalog.current_setting('lc_numeric'),
        pg_catalog.current_setting('lc_time'),
        pg_catalog.current_setting('xmlbinary'),
        pg_catalog.current_setting('xmloption')
    )
