"""Use cases of analytics: keep what was consumed, project it, and make the projections again."""

from analytics.services.keeping import accounts_consume, facts_consume, transactions_consume
from analytics.services.partitions import partitions_make
from analytics.services.rebuilding import RebuildRunning, Rebuilt, rebuild

__all__ = [
    "RebuildRunning",
    "Rebuilt",
    "accounts_consume",
    "facts_consume",
    "partitions_make",
    "rebuild",
    "transactions_consume",
]
