"""What SQLAlchemy's suite may require of SQLite and of Postgres, beyond what it takes for granted of any database."""

from __future__ import annotations

from typing import Any

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

BOTH = """
    autocommit check_constraint_reflection computed_columns computed_columns_reflect_persisted computed_columns_stored
    create_table_as create_temp_table_as ctes ctes_with_values date_historic datetime_historic delete_returning
    dialect_level_isolation_level_param emulated_lastrowid except_ expression_server_defaults
    fetch_rows_post_commit fk_constraint_option_reflection_ondelete_restrict
    fk_constraint_option_reflection_onupdate_restrict float_or_double_precision_behaves_generically
    foreign_key_constraint_option_reflection_ondelete foreign_key_constraint_option_reflection_onupdate
    get_isolation_level_values has_temp_table index_ddl_if_exists indexes_with_expressions infinity_floats
    insert_from_select insert_returning intersect isolation_level json_array_indexes
    json_index_supplementary_unicode_element json_type nullsordering on_update_cascade percent_schema_names
    primary_key_constraint_reflection reflect_table_options reflects_pk_names regexp_match server_defaults
    skip_autocommit_rollback standalone_null_binds_whereclause supports_is_distinct_from symbol_names_w_double_quote
    table_ddl_if_exists temp_table_names temp_table_reflect_indexes temp_table_reflection temporary_tables
    temporary_views timestamp_microseconds tuple_in tuple_in_w_empty unbounded_varchar update_from update_returning
    views window_functions window_range window_range_numeric
"""
SQLITE = "computed_columns_virtual inline_check_constraint_reflection"
POSTGRESQL = """
    aggregate_order_by array_type comment_reflection comment_reflection_full_unicode constraint_comment_reflection
    create_or_replace_view cross_schema_fk_reflection ctes_with_update_delete datetime_interval datetime_timezone
    datetime_timezone_historic default_schema_name_switch deferrable_fks fetch_expression fetch_first fetch_no_order_by
    fetch_ties fk_constraint_option_reflection_ondelete_noaction float_cast identity_columns identity_columns_standard
    independent_readonly_connections index_reflects_included_columns indexes_with_ascdesc json_deserializer_binary
    materialized_views precision_numerics_enotation_large precision_numerics_enotation_small
    precision_numerics_many_significant_digits precision_numerics_retains_significant_digits
    reflect_indexes_with_ascdesc reflect_indexes_with_expressions reflect_tables_no_columns regexp_replace
    schema_create_delete sequences server_side_cursors supports_distinct_on table_value_constructor
    temp_table_comment_reflection time_timezone unique_constraints_reflect_as_index uuid_data_type
    window_range_non_numeric
"""
CLOSED_ON_SQLITE = """
    independent_connections parens_in_union_contained_select_w_limit_offset
    parens_in_union_contained_select_wo_limit_offset
"""
NEEDS_ATTACHED_FILE = "schemas"


def _made(opened: str, closed: str = "") -> type[SuiteRequirements]:
    """The suite's requirements, with these opened and those closed."""
    rules: dict[str, Any] = {name: property(lambda _: exclusions.open()) for name in opened.split()}
    rules |= {name: property(lambda _: exclusions.closed()) for name in closed.split()}
    return type("Requirements", (SuiteRequirements,), rules)


Sqlite = _made(f"{BOTH} {SQLITE} {NEEDS_ATTACHED_FILE}", CLOSED_ON_SQLITE)
SqliteAlone = _made(f"{BOTH} {SQLITE}", f"{CLOSED_ON_SQLITE} {NEEDS_ATTACHED_FILE}")
Postgresql = _made(f"{BOTH} {POSTGRESQL} {NEEDS_ATTACHED_FILE}")
