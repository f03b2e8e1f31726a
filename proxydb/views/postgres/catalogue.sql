CREATE SCHEMA IF NOT EXISTS proxydb;
CREATE TABLE IF NOT EXISTS proxydb.views (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  format integer NOT NULL,
  schema text NOT NULL,
  name text NOT NULL,
  sql text NOT NULL,
  path text NOT NULL,
  kind text NOT NULL,
  maintenance text NOT NULL,
  why text NOT NULL,
  obstacle text NOT NULL,
  max_staleness double precision,
  tables text[] NOT NULL,
  folds text[] NOT NULL,
  logs text[] NOT NULL,
  refills text[] NOT NULL,
  indexes jsonb NOT NULL DEFAULT '[]',
  fingerprint text NOT NULL,
  refreshed_at double precision NOT NULL,
  UNIQUE (schema, name)
);
