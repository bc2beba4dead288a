"""Auth is where accounts begin: it consumes nothing."""

from collections.abc import Callable, Mapping
from typing import Any

CONSUMERS: Mapping[str, Mapping[str, Callable[[Any], None]]] = {}
