"""The pages of analytics over as many completed tasks."""

from collections.abc import Iterator

from bench.inside.sites import Page
from bench.inside.tools import Connection, empty, make_people, set_letters_aside, settle

TABLES = (
    "analytics_completed_task",
    "analytics_task_title",
    "analytics_day_income",
    "analytics_account_balance",
    "replica_account",
    "eventbus_dead_letter",
)
WORKERS = 100
DAYS = 60
PARTITIONS = 12
TIED = 60


def lists(database: Connection, size: int) -> Iterator[list[Page]]:
    """Completions of sixty days; the newest sixty share the highest reward, the others have each their own."""
    empty(database, *TABLES)
    people = make_people(database, WORKERS)
    database.execute(
        "INSERT INTO analytics_completed_task (generation, task_id, transfer_id, account_id, reward, business_date,"
        " occurred_at) SELECT 1, uuidv7(), uuidv7(), (%s::uuid[])[1 + n %% %s], "
        " CASE WHEN n > %s THEN 2000 + n * 7919 %% 1000003 ELSE 5000000 END, at::date, at"
        " FROM (SELECT n, now() - n * %s * interval '1 day' / %s AS at FROM generate_series(1::bigint, %s) AS n) made",
        [people, len(people), TIED, DAYS, size, size],
    )
    database.execute(
        "INSERT INTO analytics_task_title (generation, task_id, version, title, jira_id)"
        " SELECT 1, task_id, 1, 'Wash the cage', 'POPUG-1' FROM analytics_completed_task"
    )
    database.execute(
        "INSERT INTO analytics_day_income (generation, business_date, shard, fees, earnings, reversals)"
        " SELECT 1, now()::date - day, shard, 100000, 70000, 1000"
        " FROM generate_series(0, %s) AS day, generate_series(0, %s) AS shard",
        [DAYS, PARTITIONS - 1],
    )
    database.execute(
        "INSERT INTO analytics_account_balance (generation, account_id, balance)"
        " SELECT 1, id, -500 FROM unnest(%s::uuid[]) AS id",
        [people],
    )
    settle(database, *TABLES)
    span = database.execute("SELECT (now()::date - 59)::text, now()::date::text").fetchall()[0]
    yield [
        Page("analytics, today and this week", "admin", "/", 2),
        Page("analytics, sixty days", "admin", f"/?from={span[0]}&to={span[1]}", 60),
        Page("analytics, a tie of sixty days", "admin", f"/ties/{span[0]}/{span[1]}"),
    ]
    set_letters_aside(database, size)
    yield [Page("analytics, dead letters", "admin", "/dead-letters/")]
