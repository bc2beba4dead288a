"""A service that has no address yet."""

from typing import Any

urlpatterns: list[Any] = []
