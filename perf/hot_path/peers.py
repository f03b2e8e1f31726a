"""What others do for the same purpose, so that the table shows more than raw and proxied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def dogpile_hits(path: Path, sql: str, parameters: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """dogpile.cache in memory before SQLAlchemy: stale until an entry expires, and rows are shared unless pickled."""
    from sqlalchemy import create_engine, text

    statement, connection = text(sql), create_engine(f"sqlite:///{path}").connect()

    def load() -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(statement, parameters)]

    key = f"files-{parameters}"
    backends = ("memory", "memory_pickle")
    return {f"dogpile.cache {backend}, may be stale": _dogpile(backend, key, load) for backend in backends}


def _dogpile(backend: str, key: str, load: Callable[[], object]) -> Callable[[], object]:
    from dogpile.cache import make_region

    region = make_region().configure(f"dogpile.cache.{backend}", expiration_time=3600)
    return lambda: region.get_or_create(key, load)


def opentelemetry_reads(
    connect: Callable[[], Any], reading: Callable[[Any], Callable[[], object]]
) -> dict[str, Callable[[], object]]:
    """OpenTelemetry's DB-API instrumentation, with a tracer that samples nothing, and one that samples everything."""
    from opentelemetry.instrumentation.dbapi import instrument_connection
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    def traced(sampler: Any) -> Callable[[], object]:
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        return reading(instrument_connection(__name__, connect(), "sqlite", tracer_provider=provider))

    return {
        "OpenTelemetry dbapi, unsampled": traced(ALWAYS_OFF),
        "OpenTelemetry dbapi, sampled": traced(ALWAYS_ON),
    }
