"""Every statement that reads the lake's tables, as text that runs on both systems.

`:name` stands for a placeholder (see `proxydb.lake.statement`); ``->>`` with a text key takes a value out of JSON on
Postgres and on SQLite from 3.38. No statement asks the clock or a random source.

A logical file is a path with the id of its deletion vector. It is active at a version when the newest action for it, up
to that version, is an add: the newest is found over adds and removes together, and only an add can be joined back to
it, because a commit holds at most one action for a logical file (Delta PROTOCOL, Action Reconciliation). The head needs
no bound on the version, since nothing is newer.
"""

from __future__ import annotations

TABLES = "SELECT table_id, name, location FROM dl_tables ORDER BY table_id"
TABLE_NAMED = "SELECT table_id, name, location FROM dl_tables WHERE name = :name"

HEAD_VERSION = "SELECT current_version FROM dl_table_heads WHERE table_id = :table_id"
HISTORY_RANGE = """
SELECT first.version, last.version, first.committed_at, last.committed_at
FROM dl_table_heads AS h
JOIN dl_table_versions AS last ON last.table_id = h.table_id AND last.version = h.current_version
JOIN dl_table_versions AS first ON first.table_id = h.table_id
  AND first.version = (SELECT MIN(version) FROM dl_table_versions WHERE table_id = h.table_id)
WHERE h.table_id = :table_id"""

_NEWEST = """
  SELECT path, dv_id, MAX(version) AS version
  FROM (
    SELECT path, dv_id, version FROM dl_add_files WHERE {scope}
    UNION ALL
    SELECT path, dv_id, version FROM dl_remove_files WHERE {scope}
  ) AS actions
  GROUP BY path, dv_id"""
_ACTIVE = f"""
FROM ({_NEWEST}
) AS newest
JOIN dl_add_files AS f
  ON f.table_id = :table_id AND f.version = newest.version AND f.path = newest.path AND f.dv_id = newest.dv_id"""
ACTIVE_AT_HEAD = _ACTIVE.format(scope="table_id = :table_id")
ACTIVE_AT_VERSION = _ACTIVE.format(scope="table_id = :table_id AND version <= :version")

_FILE = "f.path, f.dv_id, f.size_bytes, f.partition_values, f.stats, f.modification_time, f.data_change, f.version"
FILES_AT_HEAD = f"SELECT {_FILE}{ACTIVE_AT_HEAD}"
FILES_AT_VERSION = f"SELECT {_FILE}{ACTIVE_AT_VERSION}"

_UP_TO = " AND version <= :version"
_METADATA = """
SELECT schema_json, partition_columns, table_properties
FROM dl_metadata_updates WHERE table_id = :table_id{bound} ORDER BY version DESC LIMIT 1"""
METADATA_AT_HEAD = _METADATA.format(bound="")
METADATA_AT_VERSION = _METADATA.format(bound=_UP_TO)
_PROTOCOL = """
SELECT min_reader_version, min_writer_version, reader_features, writer_features
FROM dl_protocol_updates WHERE table_id = :table_id{bound} ORDER BY version DESC LIMIT 1"""
PROTOCOL_AT_HEAD = _PROTOCOL.format(bound="")
PROTOCOL_AT_VERSION = _PROTOCOL.format(bound=_UP_TO)

TRANSACTIONS_AT_VERSION = """
SELECT t.app_id, t.txn_version FROM dl_txn_actions AS t
JOIN (
  SELECT app_id, MAX(version) AS version FROM dl_txn_actions
  WHERE table_id = :table_id AND version <= :version GROUP BY app_id
) AS newest ON t.table_id = :table_id AND t.app_id = newest.app_id AND t.version = newest.version"""
DOMAINS_AT_VERSION = """
SELECT d.domain, d.configuration FROM dl_domain_metadata AS d
JOIN (
  SELECT domain, MAX(version) AS version FROM dl_domain_metadata
  WHERE table_id = :table_id AND version <= :version GROUP BY domain
) AS newest ON d.table_id = :table_id AND d.domain = newest.domain AND d.version = newest.version
WHERE NOT d.removed"""

TRANSACTION_AT_HEAD = """
SELECT txn_version FROM dl_txn_actions
WHERE table_id = :table_id AND app_id = :app_id ORDER BY version DESC LIMIT 1"""

COUNT_AND_BYTES_AT_HEAD = f"SELECT COUNT(*), CAST(COALESCE(SUM(f.size_bytes), 0) AS BIGINT){ACTIVE_AT_HEAD}"
COUNT_AT_VERSION = f"SELECT COUNT(*){ACTIVE_AT_VERSION}"
VERSION_AT_TIME = """
SELECT MAX(version) FROM dl_table_versions WHERE table_id = :table_id AND committed_at <= :timestamp"""

# {partition} and {column} are string literals: see `proxydb.lake.operations`.
FILES_OF_PARTITION = f"""
SELECT f.path, f.dv_id, f.size_bytes{ACTIVE_AT_HEAD}
WHERE (f.partition_values ->> {{partition}}) = :partition"""
FILES_OF_PARTITION_RANGE = f"""
SELECT f.path, f.dv_id, f.size_bytes{ACTIVE_AT_HEAD}
WHERE (f.partition_values ->> {{partition}}) BETWEEN :low AND :high"""
_MIN, _MAX = "(f.stats -> 'minValues' ->> {column})", "(f.stats -> 'maxValues' ->> {column})"
FILES_THAT_MAY_HOLD = f"""
SELECT f.path, f.dv_id, f.size_bytes{ACTIVE_AT_HEAD}
WHERE ({_MIN} IS NULL OR CAST({_MIN} AS BIGINT) <= :number)
  AND ({_MAX} IS NULL OR CAST({_MAX} AS BIGINT) >= :number)"""
BYTES_PER_PARTITION = f"""
SELECT f.partition_values ->> {{partition}} AS partition_value, COUNT(*) AS files,
  CAST(SUM(f.size_bytes) AS BIGINT) AS bytes{ACTIVE_AT_HEAD}
GROUP BY f.partition_values ->> {{partition}}
ORDER BY bytes DESC, partition_value"""
SMALL_FILES = f"""
SELECT f.partition_values ->> {{partition}} AS partition_value, COUNT(*) AS files,
  CAST(SUM(f.size_bytes) AS BIGINT) AS bytes{ACTIVE_AT_HEAD}
WHERE f.size_bytes < :threshold
GROUP BY f.partition_values ->> {{partition}}
HAVING COUNT(*) > 1
ORDER BY files DESC, partition_value"""

HISTORY = """
SELECT version, committed_at, committer, operation, operation_params, is_blind_append, operation_metrics
FROM dl_table_versions WHERE table_id = :table_id ORDER BY version DESC LIMIT 20"""
LISTING = """
SELECT t.name, t.location, h.current_version, v.committed_at, v.operation
FROM dl_tables AS t
JOIN dl_table_heads AS h ON h.table_id = t.table_id
JOIN dl_table_versions AS v ON v.table_id = t.table_id AND v.version = h.current_version
ORDER BY t.name LIMIT 200"""
ACTIONS_OF_PATH = """
SELECT version, 'add' AS kind, dv_id FROM dl_add_files WHERE table_id = :table_id AND path = :path
UNION ALL
SELECT version, 'remove', dv_id FROM dl_remove_files WHERE table_id = :table_id AND path = :path
ORDER BY version, kind, dv_id"""
GROWTH_PER_DAY = """
SELECT v.committed_at / 86400000 AS day, COUNT(*) AS files, CAST(SUM(f.size_bytes) AS BIGINT) AS bytes
FROM dl_table_versions AS v JOIN dl_add_files AS f ON f.table_id = v.table_id AND f.version = v.version
WHERE v.table_id = :table_id AND f.data_change
GROUP BY v.committed_at / 86400000
ORDER BY day"""
FLEET_BY_BYTES = """
SELECT t.name, COUNT(*) AS files, CAST(SUM(f.size_bytes) AS BIGINT) AS bytes
FROM (
  SELECT table_id, path, dv_id, MAX(version) AS version
  FROM (
    SELECT table_id, path, dv_id, version FROM dl_add_files
    UNION ALL
    SELECT table_id, path, dv_id, version FROM dl_remove_files
  ) AS actions
  GROUP BY table_id, path, dv_id
) AS newest
JOIN dl_add_files AS f
  ON f.table_id = newest.table_id AND f.version = newest.version AND f.path = newest.path AND f.dv_id = newest.dv_id
JOIN dl_tables AS t ON t.table_id = f.table_id
GROUP BY t.table_id, t.name
ORDER BY bytes DESC, t.name LIMIT 20"""
