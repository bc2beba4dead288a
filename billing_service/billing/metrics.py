"""Counters that raise an alarm; docs of each say when."""

from prometheus_client import Counter

PAYLOAD_CONFLICTS = Counter(
    "billing_payload_conflicts_total", "The same idempotency key with another payload. Any increase is an alarm."
)
PRICE_CONFLICTS = Counter(
    "billing_price_conflicts_total", "A priced task was given another price. Any increase is an alarm."
)
