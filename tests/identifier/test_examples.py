"""The examples in the docstrings are true."""

import doctest
from types import ModuleType

import pytest

import cellwright.identifier
from cellwright.identifier import scan


@pytest.mark.parametrize("module", [cellwright.identifier, scan], ids=lambda module: module.__name__)
def test_examples(module: ModuleType) -> None:
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
