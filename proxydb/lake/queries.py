"""Every statement that reads the lake's tables, as text that runs on both systems.

`:name` stands for a placeholder (see `proxydb.lake.statement`), ``{partition}``, ``{min}`` and their like for
expressions that take a value out of JSON (see `proxydb.lake.operations`). No statement asks the clock or a random
source.

A logical file is a path with the id of its deletion vector. It is active at a version when the newest action for it, up
to that version, is an add: the newest is found over adds and removes together, and only an add can be joined back to
it, because a commit holds at most one action for a logical file (Delta PROTOCOL, Action Reconciliation). The head needs
no bound on the version, since nothing is newer.
"""

from __future__ import annotations

TABLES = "SELECT table_id, name, location FROM dl_tables ORDER BY table_id"
TABLE_NAMED = "SELECT table_id, name, location FROM dl_tables WHERE name = :name"

NEW_TABLE = "INSERT INTO dl_tables (name, location, created_at) VALUES (:name, :location, :created_at)"
NEW_HEAD = "INSERT INTO dl_table_heads (table_id, current_version) VALUES (:table_id, :version)"

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

FILE = """
  f.path, f.dv_id, f.size_bytes, f.partition_values, f.stats, f.modification_time, f.data_change, f.version, f.extra"""
FILES_AT_HEAD = f"SELECT{FILE}{ACTIVE_AT_HEAD}"
FILES_AT_VERSION = f"SELECT{FILE}{ACTIVE_AT_VERSION}"
FILES_NOT_EXISTS = f"""
SELECT{FILE}
FROM dl_add_files AS f
WHERE f.table_id = :table_id
  AND NOT EXISTS (
    SELECT 1 FROM dl_add_files AS a
    WHERE a.table_id = f.table_id AND a.path = f.path AND a.dv_id = f.dv_id AND a.version > f.version)
  AND NOT EXISTS (
    SELECT 1 FROM dl_remove_files AS r
    WHERE r.table_id = f.table_id AND r.path = f.path AND r.dv_id = f.dv_id AND r.version > f.version)"""

_UP_TO = " AND version <= :version"
_METADATA = """
SELECT schema_json, partition_columns, table_properties, extra
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
SELECT txn_version, version FROM dl_txn_actions
WHERE table_id = :table_id AND app_id = :app_id ORDER BY version DESC LIMIT 1"""

_TOTALS = "SELECT COUNT(*), CAST(COALESCE(SUM(f.size_bytes), 0) AS BIGINT)"
COUNT_AND_BYTES_AT_HEAD = f"{_TOTALS}{ACTIVE_AT_HEAD}"
COUNT_AND_BYTES_AT_VERSION = f"{_TOTALS}{ACTIVE_AT_VERSION}"
COUNT_AT_VERSION = f"SELECT COUNT(*){ACTIVE_AT_VERSION}"
VERSION_AT_TIME = """
SELECT MAX(version) FROM dl_table_versions WHERE table_id = :table_id AND committed_at <= :timestamp"""

_NAMED = "SELECT f.path, f.dv_id, f.size_bytes"
FILES_OF_PARTITION = f"""
{_NAMED}{ACTIVE_AT_HEAD}
WHERE {{partition}} = :partition"""
FILES_OF_PARTITION_RANGE = f"""
{_NAMED}{ACTIVE_AT_HEAD}
WHERE {{partition}} BETWEEN :low AND :high"""
FILES_THAT_MAY_HOLD = f"""
{_NAMED}{ACTIVE_AT_HEAD}
WHERE ({{min}} IS NULL OR CAST({{min}} AS BIGINT) <= :number)
  AND ({{max}} IS NULL OR CAST({{max}} AS BIGINT) >= :number)"""
FILES_WITHIN_TIME = f"""
{_NAMED}{ACTIVE_AT_HEAD}
WHERE ({{time_min}} IS NULL OR SUBSTR({{time_min}}, 1, 19) <= :time_high)
  AND ({{time_max}} IS NULL OR SUBSTR({{time_max}}, 1, 19) >= :time_low)"""
FILES_OF_PARTITION_WITH_NULLS = f"""
{_NAMED}{ACTIVE_AT_HEAD}
WHERE {{partition}} = :partition
  AND ({{nulls}} IS NULL OR CAST({{nulls}} AS BIGINT) > 0)"""
FILES_ABOVE_LEAST = f"""
{_NAMED}{ACTIVE_AT_HEAD}
WHERE ({{max}} IS NULL OR CAST({{max}} AS BIGINT) >= :least)"""
BYTES_PER_PARTITION = f"""
SELECT {{partitions}}, COUNT(*) AS files, CAST(SUM(f.size_bytes) AS BIGINT) AS bytes{ACTIVE_AT_HEAD}
GROUP BY {{partitions}}
ORDER BY bytes DESC, {{partitions}}"""
SMALL_FILES = f"""
SELECT {{partitions}}, COUNT(*) AS files, CAST(SUM(f.size_bytes) AS BIGINT) AS bytes{ACTIVE_AT_HEAD}
WHERE f.size_bytes < :threshold
GROUP BY {{partitions}}
HAVING COUNT(*) > 1
ORDER BY files DESC, {{partitions}}"""

_HISTORY = """
SELECT version, committed_at, committer, operation, operation_params, is_blind_append, operation_metrics
FROM dl_table_versions WHERE table_id = :table_id ORDER BY version DESC LIMIT {limit}"""
HISTORY = _HISTORY.format(limit="20")
HISTORY_LIMITED = _HISTORY.format(limit=":limit")
HISTORY_ENTRY = "SELECT operation, committer FROM dl_table_versions WHERE table_id = :table_id AND version = :version"
_LISTING = """
SELECT t.name, t.location, h.current_version, v.committed_at, v.operation
FROM dl_tables AS t
JOIN dl_table_heads AS h ON h.table_id = t.table_id
JOIN dl_table_versions AS v ON v.table_id = t.table_id AND v.version = h.current_version
ORDER BY t.name LIMIT {limit}"""
LISTING = _LISTING.format(limit="200")
LISTING_LIMITED = _LISTING.format(limit=":limit")
ACTIONS_OF_PATH = """
SELECT version, 'add' AS kind, dv_id FROM dl_add_files WHERE table_id = :table_id AND path = :path
UNION ALL
SELECT version, 'remove', dv_id FROM dl_remove_files WHERE table_id = :table_id AND path = :path
ORDER BY version, kind, dv_id"""
_SINCE = "FROM {table} WHERE table_id = :table_id AND version > :since"
CONFLICT_CHECK = f"""
SELECT version, 'commitInfo' AS kind, '' AS name, is_blind_append AS flag {_SINCE.format(table="dl_table_versions")}
UNION ALL
SELECT version, 'add', path, data_change {_SINCE.format(table="dl_add_files")}
UNION ALL
SELECT version, 'remove', path, data_change {_SINCE.format(table="dl_remove_files")}
UNION ALL
SELECT version, 'metaData', '', NULL {_SINCE.format(table="dl_metadata_updates")}
UNION ALL
SELECT version, 'protocol', '', NULL {_SINCE.format(table="dl_protocol_updates")}
UNION ALL
SELECT version, 'txn', app_id, NULL {_SINCE.format(table="dl_txn_actions")}
UNION ALL
SELECT version, 'domainMetadata', domain, NULL {_SINCE.format(table="dl_domain_metadata")}
ORDER BY version"""
FACTS_OF_ADDED = """
SELECT path, CAST(partition_values AS TEXT), CAST(stats AS TEXT) FROM dl_add_files
WHERE table_id = :table_id AND version = :version"""
_BETWEEN = f"{_SINCE} AND version <= :until"
CHANGES = f"""
SELECT version, 'add' AS kind, path, dv_id, size_bytes, data_change {_BETWEEN.format(table="dl_add_files")}
UNION ALL
SELECT version, 'remove', path, dv_id, size_bytes, data_change {_BETWEEN.format(table="dl_remove_files")}
ORDER BY version, kind DESC, path, dv_id"""
# A data file may go when no logical file of its path is active, and the last of them went before `:cutoff`.
VACUUM_CANDIDATES = f"""
SELECT newest.path, MAX(COALESCE(r.deletion_timestamp, 0)) AS deleted_at, MAX(r.size_bytes) AS bytes
FROM ({_NEWEST.format(scope="table_id = :table_id")}
) AS newest
LEFT JOIN dl_add_files AS f
  ON f.table_id = :table_id AND f.version = newest.version AND f.path = newest.path AND f.dv_id = newest.dv_id
LEFT JOIN dl_remove_files AS r
  ON r.table_id = :table_id AND r.version = newest.version AND r.path = newest.path AND r.dv_id = newest.dv_id
GROUP BY newest.path
HAVING COUNT(f.path) = 0 AND MAX(COALESCE(r.deletion_timestamp, 0)) < :cutoff
ORDER BY newest.path"""
GROWTH_PER_DAY = """
SELECT v.committed_at / 86400000 AS day, COUNT(*) AS files, CAST(SUM(f.size_bytes) AS BIGINT) AS bytes
FROM dl_table_versions AS v JOIN dl_add_files AS f ON f.table_id = v.table_id AND f.version = v.version
WHERE v.table_id = :table_id AND f.data_change
GROUP BY v.committed_at / 86400000
ORDER BY day"""
_FLEET_BY_BYTES = """
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
ORDER BY bytes DESC, t.name LIMIT {limit}"""
FLEET_BY_BYTES = _FLEET_BY_BYTES.format(limit="20")
FLEET_LIMITED = _FLEET_BY_BYTES.format(limit=":limit")
