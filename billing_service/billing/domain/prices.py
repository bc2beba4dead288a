"""Prices of tasks, in cents: drawn from the task's id alone (B1)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from uuid import UUID

CENTS = 100
FEE_DOLLARS = (10, 20)
REWARD_DOLLARS = (20, 40)


@dataclass(frozen=True, slots=True)
class Price:
    """What a task costs at each assignment and pays at completion, in cents."""

    fee: int
    reward: int


def price_of(*, key: bytes, task_id: UUID) -> Price:
    """Draw the price of a task from its id alone, so that a replay or a rebuilt ledger finds the same one (B1)."""
    return Price(
        fee=_draw(key, "fee", task_id, FEE_DOLLARS) * CENTS,
        reward=_draw(key, "reward", task_id, REWARD_DOLLARS) * CENTS,
    )


def _draw(key: bytes, label: str, task_id: UUID, bounds: tuple[int, int]) -> int:
    low, high = bounds
    size = high - low + 1
    limit = 2**64 - 2**64 % size  # a number from the incomplete last run of `size` would favour small prices
    attempt = 0
    while True:
        digest = hmac.digest(key, f"{label}:{attempt}:{task_id}".encode(), "sha256")
        for start in range(0, 32, 8):
            number = int.from_bytes(digest[start : start + 8], "big")
            if number < limit:
                return low + number % size
        attempt += 1


def parse_price_keys(text: str) -> dict[str, bytes]:
    """Read `id:hex[,id:hex]`; the first key prices, the others stay readable. Raises ValueError on anything else."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, separator, secret = part.strip().partition(":")
        if not key_id or not separator or key_id in keys:
            raise ValueError("PRICE_KEYS is not of the form id:hex[,id:hex]")
        keys[key_id] = bytes.fromhex(secret)
        if len(keys[key_id]) < 16:
            raise ValueError(f"price key {key_id} is shorter than 16 bytes")
    return keys
