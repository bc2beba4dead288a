"""Fixtures of the bus's own tests."""

from collections.abc import Iterator

import pytest
from sample import consumed


@pytest.fixture(autouse=True)
def handlers_misbehave() -> Iterator[None]:
    """Each test starts with handlers that stumble again."""
    consumed.healed.clear()
    consumed.attempts.clear()
    yield
    consumed.healed.clear()
