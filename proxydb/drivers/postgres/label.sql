-- The label of what a statement run now would see, and the state of the session.
-- Columns: the snapshot; then, with the unit separator between them, the own transaction id (empty while it has written
-- nothing), the isolation level, whether the session has temporary objects, the role, and those settings that a result
-- depends on and that the server does not report by itself.
SELECT
    pg_current_snapshot()::text,
    concat_ws(
        chr(31),
        coalesce(pg_current_xact_id_if_assigned()::text, ''),
        current_setting('transaction_isolation'),
        pg_my_temp_schema() <> 0,
        current_user,
        current_setting('search_path'),
        current_setting('extra_float_digits'),
        current_setting('bytea_output'),
        current_setting('backslash_quote'),
        current_setting('transform_null_equals'),
        current_setting('array_nulls'),
        current_setting('quote_all_identifiers'),
        current_setting('default_text_search_config'),
        current_setting('timezone_abbreviations'),
        current_setting('gin_fuzzy_search_limit'),
        current_setting('row_security'),
        current_setting('lc_monetary'),
        current_setting('lc_numeric'),
        current_setting('lc_time'),
        current_setting('xmlbinary'),
        current_setting('xmloption')
    )
