"""Telling the present state again, beside people who go on working and after a restore."""

import threading

import pytest
from buses import until
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from sample.models import Order
from sample.published import order

from eventbus import publish, state
from eventbus.testing import published


def change(key: str, number: int) -> None:
    """What a use case does: the row, and its event in the same transaction."""
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=key)
        row.number = number
        row.save()
        publish(order("OrderState", key, number))


def in_a_thread(work) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def somebody_waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_a_state_never_follows_a_later_change_of_the_same_aggregate():
    Order.objects.create(id="o1", number=1)
    with transaction.atomic():
        Order.objects.select_for_update().get(pk="o1")
        telling = in_a_thread(lambda: state.republish("orders-stream"))
        until(somebody_waits_for_a_row)
        change("o1", 2)
    telling.join()
    assert [event.data["number"] for event in published("OrderState")] == [2, 2]


@pytest.mark.django_db(transaction=True)
def test_a_change_during_the_telling_comes_after_it(monkeypatch):
    Order.objects.create(id="o1", number=1)
    threads = []

    def published_slowly(events):
        threads.append(in_a_thread(lambda: change("o1", 2)))
        until(somebody_waits_for_a_row)
        publish_many(events)

    publish_many = state.publish_many
    monkeypatch.setattr(state, "publish_many", lambda events: published_slowly(events) if events else None)
    state.republish("orders-stream")
    threads[0].join()
    assert [event.data["number"] for event in published("OrderState")] == [1, 2]


@pytest.mark.django_db
def test_many_are_told_a_thousand_at_a_time():
    Order.objects.bulk_create([Order(id=f"o{number:05}") for number in range(2_001)])
    assert state.republish("orders-stream") == 2_001
    assert [event.key for event in published()] == [f"o{number:05}" for number in range(2_001)]


def test_after_a_restore_newer_states_are_taken_back_and_versions_raised_above_the_topic(kafka, capsys):
    for key, number in (("o1", 7), ("o1", 9), ("o2", 1), ("lost", 4), ("o4", 6)):
        kafka.send(order("OrderState", key, number))
    Order.objects.bulk_create(
        Order(id=key, number=number) for key, number in (("o1", 3), ("o2", 5), ("o3", 0), ("o4", 6))
    )
    told = state.read_state("orders-stream")
    assert told.highest == {"o1": 9, "o2": 1, "lost": 4, "o4": 6}
    assert {key: event.data["number"] for key, event in told.newer.items()} == {"o1": 9, "lost": 4}
    call_command("republish_state", "orders-stream", "--after-restore")
    numbers = {"o1": 10, "o2": 5, "o3": 0, "o4": 7, "lost": 5}
    assert {event.key: event.data["number"] for event in published()} == numbers
    assert dict(Order.objects.values_list("pk", "number")) == numbers
    assert capsys.readouterr().out.splitlines() == [
        "Took back 2 states that are newer than the backup.",
        "Published 5 states.",
    ]


def test_a_record_that_cannot_be_read_is_named_and_skipped_only_on_request(kafka, capsys):
    kafka.send(order("OrderState", "o1", 7))
    kafka.send(order("OrderState", "o1", 8), value=b"\x00 is no event")
    Order.objects.create(id="o1", number=3)
    with pytest.raises(CommandError, match=r"A record cannot be read: orders-stream/\d at 1: .* Nothing was published"):
        call_command("republish_state", "orders-stream", "--after-restore")
    assert (published(), Order.objects.get().number) == ([], 3)
    call_command("republish_state", "orders-stream", "--after-restore", "--skip-unreadable")
    assert "skipped: 1" in capsys.readouterr().out
    assert [event.data["number"] for event in published()] == [8]


@pytest.mark.django_db
def test_a_broker_that_is_away_is_said_and_nothing_is_published(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    Order.objects.create(id="o1", number=3)
    with pytest.raises(CommandError, match=r"Kafka does not tell what is in orders-stream: .* Nothing was published"):
        call_command("republish_state", "orders-stream", "--after-restore")
    assert published() == []
