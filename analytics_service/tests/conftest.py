from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from analytics.models import Generation

DAY = date(2026, 3, 4)  # a Wednesday


@pytest.fixture(autouse=True)
def _pointer(request: pytest.FixtureRequest) -> None:
    """A test with transactions of its own empties all tables at its end; the pointer's row comes with the migration."""
    if any(name in request.fixturenames for name in ("db", "transactional_db")) or request.node.get_closest_marker(
        "django_db"
    ):
        request.getfixturevalue("db")
        Generation.objects.get_or_create(id=1, defaults={"number": 1})


@pytest.fixture
def day() -> Any:
    return DAY
