"""The errors have the shape of PEP 249, and are caught by the classes that callers know."""

from __future__ import annotations

import pytest

from proxydb import errors
from proxydb.lake import errors as lake_errors

BASES = {
    errors.Warning: Exception,
    errors.Error: Exception,
    errors.InterfaceError: errors.Error,
    errors.DatabaseError: errors.Error,
    errors.DataError: errors.DatabaseError,
    errors.OperationalError: errors.DatabaseError,
    errors.IntegrityError: errors.DatabaseError,
    errors.InternalError: errors.DatabaseError,
    errors.ProgrammingError: errors.DatabaseError,
    errors.NotSupportedError: errors.DatabaseError,
    errors.TargetError: errors.InterfaceError,
    errors.MissingExtra: errors.InterfaceError,
    errors.ConfigError: errors.ProgrammingError,
}
ALSO = {
    errors.TargetError: ValueError,
    errors.ConfigError: ValueError,
    errors.MissingExtra: ImportError,
}
ALL = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
OF_LAKE = [value for value in vars(lake_errors).values() if isinstance(value, type) and issubclass(value, Exception)]


@pytest.mark.parametrize("kind", BASES, ids=lambda kind: kind.__name__)
def test_base(kind: type[Exception]) -> None:
    """Each class stands where PEP 249 puts it."""
    assert kind.__mro__[1] is BASES[kind]


@pytest.mark.parametrize("kind", ALSO, ids=lambda kind: kind.__name__)
def test_second_base(kind: type[Exception]) -> None:
    """What a caller without proxydb would catch catches ours."""
    assert issubclass(kind, ALSO[kind])


@pytest.mark.parametrize("kind", [*ALL, *OF_LAKE], ids=lambda kind: kind.__name__)
def test_everything_is_caught_at_once(kind: type[Exception]) -> None:
    """`except proxydb.errors.Error` catches all but the warning."""
    assert kind is errors.Warning or issubclass(kind, errors.Error)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_drawn_in_the_tree(kind: type[Exception]) -> None:
    """The module's docstring draws every class."""
    assert errors.__doc__ is not None and kind.__name__ in errors.__doc__


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_class_says_what_it_is(kind: type[Exception]) -> None:
    """Every class has a docstring of its own."""
    assert kind.__dict__["__doc__"]


def test_missing_extra_names_the_installation() -> None:
    """The error about a missing extra says what to type."""
    error = errors.MissingExtra.named("postgres", "a Postgres target")
    assert str(error) == "a Postgres target needs an optional dependency: pip install 'proxydb[postgres]'"
