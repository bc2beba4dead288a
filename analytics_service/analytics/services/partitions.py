"""Room for the kept events of the months to come."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection

_MONTHS = 3


def partitions_make(*, now: datetime) -> list[str]:
    """Make the partitions of this month and the next two; returns the names of those that are new.

    Months are of the broker's timestamp in UTC. What already lies in the default partition moves along. The function
    in the database belongs to the owner: the app role may not create tables.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT made FROM generate_series(0, %s) AS ahead,"
            " analytics_make_partition((%s::date + ahead * interval '1 month')::date) AS made"
            " WHERE made IS NOT NULL ORDER BY ahead",
            [_MONTHS - 1, now.astimezone(UTC).date().replace(day=1)],
        )
        return [row[0] for row in cursor.fetchall()]
