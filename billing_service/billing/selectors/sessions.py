"""Who else of billing is connected to its database."""

from __future__ import annotations

from billing.selectors.journal import query


def others_at_work() -> list[str]:
    """What the other processes of billing that are connected call themselves; people and exporters are none."""
    return [
        str(row[0])
        for row in query(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name ~ '^billing(-|$)'"
            " ORDER BY 1"
        )
    ]
