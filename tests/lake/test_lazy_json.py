"""JSON of a file's row is parsed when it is first read, which nothing else shows."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from proxydb.lake import File


def file(**changed: Any) -> File:
    """A file as it comes from a row, with JSON as text."""
    values = {"path": "a", "size": 1, "partition_values": '{"p": "1"}', "stats": '{"numRecords": 10}'}
    others = {"deletion_vector_id": "", "modification_time": 0, "data_change": True, "version": 0, "extra": {}}
    return File(**values | others | changed)


def test_text_is_parsed_when_it_is_read() -> None:
    """The attributes give the values of the JSON."""
    assert (file().partition_values, file().stats) == ({"p": "1"}, {"numRecords": 10})


def test_text_is_parsed_once() -> None:
    """Every reading gives the same object."""
    one = file()
    assert one.stats is one.stats


@pytest.mark.parametrize("value", [None, {"numRecords": 10}])
def test_what_is_no_text_stays(value: Any) -> None:
    """A value that was parsed already is given as it is."""
    assert file(stats=value).stats is value


def test_text_that_is_not_read_is_not_parsed() -> None:
    """Statistics that are no JSON disturb only those who ask for them."""
    odd = file(stats="{")
    assert odd.partition_values == {"p": "1"}
    with pytest.raises(json.JSONDecodeError):
        odd.stats  # noqa: B018 - read for its error


def test_files_are_equal_by_their_values() -> None:
    """However the JSON was written, and whether or not it was parsed."""
    assert file() == file(partition_values={"p": "1"}, stats='{ "numRecords":10 }') != file(stats=None)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, replace, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_equal(again: Any) -> None:
    """Copies of every kind are equal to the original."""
    assert again(file()) == file()


def test_a_file_stays_frozen() -> None:
    """Nothing can be assigned."""
    with pytest.raises(FrozenInstanceError):
        file().stats = None  # type: ignore[misc]


def test_a_file_shows_its_values() -> None:
    """The representation has the values and not the text."""
    assert "stats={'numRecords': 10}" in repr(file())
