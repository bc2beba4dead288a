"""Every consumed event is kept, without names and addresses, and projected."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from analytics import services
from analytics.models import KeptEvent
from chassis.replica.models import Account
from tests.making import earned, make

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


def test_a_kept_event_has_all_that_was_received():
    event = make("TransactionPosted")

    services.facts_consume(events=[event])

    kept = KeptEvent.objects.get()
    assert (kept.event_id, kept.topic, kept.partition, kept.offset) == (
        event.id,
        "transactions",
        event.partition,
        event.offset,
    )
    assert (kept.name, kept.version, kept.key, kept.producer) == ("TransactionPosted", 1, event.key, "billing")
    assert (kept.event_time, kept.received_at) == (event.time, event.received_at)
    assert kept.data["amount"] == 3200
    assert datetime.fromisoformat(kept.data["recorded_at"]) == event.data["recorded_at"]
    assert date.fromisoformat(kept.data["business_date"]) == event.data["business_date"]
    assert set(kept.data) == set(event.data)


def test_every_event_of_a_consumer_is_kept():
    names = ["TaskCreated", "TaskUpdated", "TaskAssigned", "TaskCompleted", "TaskReopened", "TaskPriced"]
    names += ["TransactionPosted", "PayoutMade", "CycleClosed"]

    services.facts_consume(events=[make(name) for name in names])

    assert list(KeptEvent.objects.order_by("id").values_list("name", flat=True)) == names


def test_what_is_kept_of_an_account_holds_no_name_and_no_address_and_the_replica_has_both():
    event = make("AccountUpdated", email="w.weber@popug.example", full_name="Wilma Weber", position="Cage keeper")

    services.accounts_consume(events=[event])

    text = json.dumps(KeptEvent.objects.get().data)
    assert not any(word in text for word in ("popug", "Wilma", "Weber", "keeper"))
    assert Account.objects.get(id=event.key).full_name == "Wilma Weber"


def test_an_event_handed_over_twice_is_kept_once():
    event = make("TaskPriced")

    services.facts_consume(events=[event])
    services.facts_consume(events=[event])

    assert KeptEvent.objects.count() == 1


def partition_of(event_id: UUID) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM analytics_kept_event WHERE event_id = %s", [event_id])
        return cursor.fetchone()[0]


def test_an_event_lies_in_the_month_of_the_broker_s_timestamp():
    this_month, last_year = (
        make("TaskPriced", moment=datetime.now(UTC)),
        make("TaskPriced", moment=datetime(2024, 2, 29, tzinfo=UTC)),
    )

    services.facts_consume(events=[this_month, last_year])

    assert partition_of(this_month.id) == f"analytics_kept_event_{this_month.received_at:%Y_%m}"
    assert partition_of(last_year.id) == "analytics_kept_event_default"


def test_making_a_month_moves_its_events_out_of_the_default_partition():
    inside = make("TaskPriced", moment=datetime(2031, 5, 31, 23, 59, 58, tzinfo=UTC))
    outside = make("TaskPriced", moment=datetime(2031, 8, 1, tzinfo=UTC) - timedelta(seconds=1))
    services.facts_consume(events=[inside, outside])

    made = services.partitions_make(now=datetime(2031, 5, 20, tzinfo=UTC))

    assert made == [f"analytics_kept_event_2031_0{month}" for month in (5, 6, 7)]
    assert partition_of(inside.id) == "analytics_kept_event_2031_05"
    assert partition_of(outside.id) == "analytics_kept_event_default"
    assert KeptEvent.objects.count() == 2


def test_making_partitions_again_makes_none():
    now = datetime(2031, 12, 31, 23, tzinfo=UTC)

    assert len(services.partitions_make(now=now)) == 3
    assert services.partitions_make(now=now) == []


@pytest.fixture
def app(app_dsn: str) -> Any:
    with psycopg.connect(app_dsn, autocommit=True) as found:
        yield found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["analytics_kept_event", "analytics_kept_event_default"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET name = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_app_role_cannot_change_or_delete_kept_events(app: Any, table: str, statement: str):
    services.facts_consume(events=[make("TaskPriced", moment=datetime(2024, 2, 29, tzinfo=UTC))])

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.format(table))


@pytest.mark.django_db(transaction=True)
def test_the_app_role_can_keep_and_read_events_and_make_months(app: Any):
    services.facts_consume(events=[earned(2500, DAY)])

    app.execute(
        'INSERT INTO analytics_kept_event (event_id, topic, partition, "offset", key, name, version, event_time,'
        ' producer, received_at, data) SELECT gen_random_uuid(), topic, partition, "offset", key, name, version,'
        " event_time, producer, received_at, data FROM analytics_kept_event"
    )

    assert app.execute("SELECT count(*) FROM analytics_kept_event").fetchone() == (2,)
    assert app.execute("SELECT analytics_make_partition('2044-01-15')").fetchone() == ("analytics_kept_event_2044_01",)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("UPDATE analytics_kept_event_2044_01 SET name = ''")
