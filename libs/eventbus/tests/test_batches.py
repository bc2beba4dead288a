"""The engine: one batch, one transaction."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from sample import consumed
from sample.consumed import CONSUMERS
from sample.models import Effect, Shelf
from sample.published import EPOCH, bank, order
from structlog.testing import capture_logs

from eventbus import ConsumerStopped, TransientError, dead_letters, prune_inbox
from eventbus.batch import Engine
from eventbus.codec import unpack_headers
from eventbus.errors import Fenced
from eventbus.inbox import Advance
from eventbus.jobs import forget_old_events
from eventbus.levels import Item, levels
from eventbus.memory import TOPIC_ID, MemoryBus
from eventbus.models import ConsumerOffset, DeadLetter, InboxRow, OutboxRow, Sequence
from eventbus.positions import consumed_until
from eventbus.registry import FixedIds
from eventbus.subscription import Subscription, subscription
from eventbus.testing import deliver, wire

pytestmark = pytest.mark.django_db


def numbers() -> list[int]:
    return list(Effect.objects.order_by("id").values_list("number", flat=True))


def items(*names_and_keys: tuple[str, str]) -> list[Item]:
    handlers = CONSUMERS["payments"]
    found = []
    for place, (name, key) in enumerate(names_and_keys):
        found.append(Item(place, None, bank(name, key, place), handlers[name], ("payments", key)))
    return found


def test_events_of_one_handler_come_together():
    batch = items(("PaymentMade", "a"), ("PaymentMade", "b"), ("PaymentMade", "a"))
    assert [[len(found) for found in level.values()] for level in levels(batch)] == [[3]]


def test_a_keys_events_of_two_handlers_are_never_swapped():
    made, cancelled = "PaymentMade", "PaymentCancelled"
    batch = items((made, "a"), (cancelled, "b"), (cancelled, "a"), (made, "b"), (made, "a"), (made, "c"))
    order = [item.place for level in levels(batch) for calls in level.values() for item in calls]
    assert sorted(order) == list(range(6))
    for key in "abc":
        places = [place for place in order if batch[place].event.key == key]
        assert places == sorted(places)
    assert len(levels(batch)) == 3


def test_the_bisect_finds_each_culprit_and_applies_the_others():
    poisoned = {3, 64, 65, 127}
    deliver("payments", [bank("PaymentMade", f"a{n}", n, "poison" if n in poisoned else "") for n in range(128)])
    assert sorted(numbers()) == sorted(set(range(128)) - poisoned)
    assert set(DeadLetter.objects.values_list("state", "reason")) == {("dead", "handler")}
    assert DeadLetter.objects.count() == 4


def test_a_violated_foreign_key_has_its_culprit_although_django_defers_it():
    deliver("payments", [bank("PaymentMade", "a1", 1, "no shelf"), bank("PaymentMade", "a2", 2)])
    assert numbers() == [2]
    assert "IntegrityError" in DeadLetter.objects.get().error


def test_dead_events_are_not_taken_in_again_by_a_repetition():
    event = bank("PaymentMade", text="poison")
    deliver("payments", [event])
    deliver("payments", [event])
    assert DeadLetter.objects.count() == 1
    assert InboxRow.objects.get().outcome == InboxRow.Outcome.DEAD


def test_a_dead_future_event_holds_back_its_key():
    late = bank("PaymentMade", "a1", 1, time=EPOCH + timedelta(hours=1), received_at=EPOCH)
    deliver("payments", [late, bank("PaymentMade", "a1", 2), bank("PaymentMade", "a2", 3)])
    assert numbers() == [3]
    assert list(DeadLetter.objects.order_by("id").values_list("reason", "state")) == [
        ("future", "dead"),
        ("waiting", "waiting"),
    ]


def test_a_repetition_with_another_content_is_dropped_or_refused_by_a_handler_that_looks_twice():
    first = bank("PaymentCancelled", "a1", 1)
    again = bank("PaymentCancelled", "a1", 2, id=first.id)
    for consumer in ("payments", "refunds"):
        deliver(consumer, [first, first])
        deliver(consumer, [first, again])
    assert numbers() == [1, 1]
    letter = DeadLetter.objects.get()
    assert (letter.group.name, letter.reason, letter.state) == ("shop.refunds", "handler", "dead")
    assert "was for 1 before" in letter.error


def test_repetitions_are_looked_at_in_one_set():
    counts = []
    for name, size in (("few", 5), ("many", 50)):
        events = [bank("PaymentCancelled", f"{name}{number}", number) for number in range(size)]
        deliver("refunds", events)
        with CaptureQueriesContext(connection) as queries:
            deliver("refunds", events)
        counts.append(len([query for query in queries if "sample_effect" in query["sql"]]))
    assert counts == [1, 1]
    assert not DeadLetter.objects.exists()


def test_one_that_contradicts_leaves_the_other_repetitions_of_its_key_applied():
    first, second = bank("PaymentCancelled", "a1", 1), bank("PaymentCancelled", "a1", 2)
    deliver("refunds", [first, second])
    deliver("refunds", [bank("PaymentCancelled", "a1", 9, id=first.id), second])
    assert [letter.event_id for letter in DeadLetter.objects.all()] == [first.id]
    assert numbers() == [1, 2]


def test_a_repetition_of_what_waits_is_not_looked_at_twice():
    first = bank("PaymentCancelled", "a1", 1, "poison")
    deliver("refunds", [first, bank("PaymentCancelled", "a1", 2, id=first.id)])
    assert DeadLetter.objects.count() == 1
    deliver("refunds", [bank("PaymentCancelled", "a1", 2, id=first.id)])
    assert DeadLetter.objects.count() == 1


def test_the_copy_of_a_record_that_is_too_large_for_more_headers_leaves_its_value_out():
    bus = MemoryBus()
    bus.send("payments", b"k" * 5_000, b"x" * 1_048_000, [("sha", b"\xff")])
    bus.consume("payments")
    assert len(bytes(DeadLetter.objects.get().value)) == 1_048_000
    row = OutboxRow.objects.get()
    assert (len(bytes(row.key)), row.value) == (1_000, None)
    assert "dlq-left-out" in [name for name, _ in unpack_headers(row.headers)]


def test_a_state_that_failed_after_a_good_one_stays_dead():
    deliver("state", [bank("AccountState", number=1), bank("AccountState", number=2, text="poison")])
    assert DeadLetter.objects.get().state == "dead"
    assert Sequence.objects.count() == 1
    deliver("state", [bank("AccountState", number=3)])
    assert DeadLetter.objects.get().state == "superseded"
    assert not Sequence.objects.exists()
    assert InboxRow.objects.filter(outcome=InboxRow.Outcome.DISCARDED).count() == 1


def test_states_of_other_keys_supersede_nothing():
    deliver("state", [bank("AccountState", "a1", text="poison"), bank("AccountState", "a2")])
    assert DeadLetter.objects.get().state == "dead"


def test_too_many_culprits_in_a_row_stop_the_consumer_and_set_nothing_aside():
    with pytest.raises(ConsumerStopped, match="21 events in a row"):
        deliver("payments", [bank("PaymentMade", f"a{n}", n, "poison") for n in range(40)])
    assert not DeadLetter.objects.exists()
    assert not InboxRow.objects.exists()


def test_culprits_in_a_row_are_counted_across_batches():
    bus = MemoryBus()
    consumer = bus.consumer("payments")
    for number in range(20):
        bus.send(*wire(bank("PaymentMade", f"a{number}", number, "poison"), FixedIds()))
        consumer.step(timeout=0)
    assert DeadLetter.objects.count() == 20
    bus.send(*wire(bank("PaymentMade", "a20", 20, "poison"), FixedIds()))
    with pytest.raises(ConsumerStopped):
        consumer.step(timeout=0)
    assert DeadLetter.objects.count() == 20


def test_a_success_between_culprits_starts_the_count_anew():
    bus = MemoryBus()
    consumer = bus.consumer("payments")
    for number in range(30):
        text = "poison" if number != 15 else ""
        bus.send(*wire(bank("PaymentMade", f"a{number}", number, text), FixedIds()))
        consumer.step(timeout=0)
    assert DeadLetter.objects.count() == 29


def test_a_large_share_of_culprits_stops_the_consumer(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"STOP_AFTER": 5}
    with pytest.raises(ConsumerStopped):
        deliver("payments", [bank("PaymentMade", f"a{n}", n, "" if n % 4 else "poison") for n in range(200)])


def test_many_culprits_of_one_key_are_one():
    deliver("state", [bank("AccountState", "a1", number, "poison") for number in range(40)])
    assert DeadLetter.objects.filter(state="dead").count() == 40


def test_a_batch_refused_by_the_fence_leaves_nothing():
    bus = MemoryBus()
    record = bus.send(*wire(bank("PaymentMade"), FixedIds()))
    zombie, heir = bus.consumer("payments"), bus.consumer("payments")
    heir.step(timeout=0)
    engine = zombie.engine
    with pytest.raises(Fenced), transaction.atomic():
        engine.apply([record], [Advance("payments", record.partition, TOPIC_ID, 0, 1)])
    assert numbers() == [1]


def test_a_zombie_reads_its_position_again_and_goes_on():
    bus = MemoryBus()
    bus.send(*wire(bank("PaymentMade", number=1), FixedIds()))
    zombie, heir = bus.consumer("payments"), bus.consumer("payments")
    heir.step(timeout=0)
    bus.send(*wire(bank("PaymentMade", number=2), FixedIds()))
    zombie.step(timeout=0)
    assert numbers() == [1]
    zombie.step(timeout=0)
    assert numbers() == [1, 2]


@pytest.mark.parametrize(("text", "error"), [("away", TransientError), ("database away", OperationalError)])
def test_a_transient_error_sets_nothing_aside(text, error):
    bus = MemoryBus()
    record = bus.send(*wire(bank("PaymentMade", text=text), FixedIds()))
    engine = bus.consumer("payments").engine
    advance = Advance("payments", record.partition, TOPIC_ID, 0, 1)
    with pytest.raises(error):
        engine.apply([record], [advance])
    assert not InboxRow.objects.exists()
    consumed.healed.set()
    engine.apply([record], [advance])
    assert numbers() == [1]


def test_an_error_that_is_nobodys_fault_ends_the_consumer():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE eventbus_inbox ADD CHECK (outcome > 1)")
    with pytest.raises(ConsumerStopped, match="outcome"), transaction.atomic():
        deliver("payments", [bank("PaymentMade")])
    assert not DeadLetter.objects.exists()


def test_a_batch_is_unique_by_event_id():
    event = bank("PaymentMade")
    before = REGISTRY.get_sample_value("eventbus_inbox_duplicates_total", {"group": "shop.payments"}) or 0
    deliver("payments", [event, event, event])
    assert Effect.objects.get().size == 1
    assert REGISTRY.get_sample_value("eventbus_inbox_duplicates_total", {"group": "shop.payments"}) == before + 2


def test_inbox_is_kept_per_group():
    event = order("OrderPlaced")
    deliver("orders", [event])
    other = Engine(Subscription("others", CONSUMERS["orders"]), FixedIds())
    bus = MemoryBus()
    record = bus.send(*wire(event, FixedIds()))
    ConsumerOffset.objects.create(
        group_id=other.group_id(), topic="orders", partition=record.partition, topic_id=TOPIC_ID, position=0
    )
    other.apply([record], [Advance("orders", record.partition, TOPIC_ID, 0, 1)])
    assert Effect.objects.count() == 2


def test_old_inbox_rows_are_forgotten_but_for_open_dead_letters():
    deliver("payments", [bank("PaymentMade", "a1"), bank("PaymentMade", "a2", text="poison")])
    assert prune_inbox(now=datetime.now(UTC)) == 0
    assert prune_inbox(now=datetime.now(UTC) + timedelta(days=98), batch=1) == 1
    assert InboxRow.objects.get().outcome == InboxRow.Outcome.DEAD


def test_the_daily_job_forgets_what_no_topic_can_repeat():
    deliver("payments", [bank("PaymentMade", "a1")])
    InboxRow.objects.update(received_at=datetime.now(UTC) - timedelta(days=98))
    forget_old_events()
    assert not InboxRow.objects.exists()


def test_the_daily_job_deletes_what_was_in_letters_that_were_decided_long_ago():
    deliver("payments", [bank("PaymentMade", key, text="poison") for key in ("a1", "a2", "a3")])
    _, fresh, old = DeadLetter.objects.order_by("id")
    for letter in (fresh, old):
        dead_letters.discard(letter.pk, by="chief", reason="a test")
    DeadLetter.objects.filter(pk=old.pk).update(resolved_at=datetime.now(UTC) - timedelta(days=98))
    forget_old_events()
    assert [letter.value is None for letter in DeadLetter.objects.order_by("id")] == [False, False, True]
    old.refresh_from_db()
    assert (bytes(old.headers), old.error, old.resolution, old.resolved_by) == (b"", "", "a test", "chief")
    assert "It was deleted" in Client(headers={"X-Name": "chief"}).get(f"/dead-letters/{old.pk}/").content.decode()


def test_what_was_in_a_letter_that_its_own_batch_superseded_is_deleted_too():
    deliver("state", [bank("AccountState", number=1, text="poison"), bank("AccountState", number=2)])
    forget_old_events()
    assert DeadLetter.objects.get(state="superseded").value is not None
    DeadLetter.objects.update(created_at=datetime.now(UTC) - timedelta(days=98))
    forget_old_events()
    assert DeadLetter.objects.get().value is None


def test_log_lines_name_group_counts_and_letters():
    with capture_logs() as lines:
        deliver("payments", [bank("PaymentMade", "a1"), bank("PaymentMade", "a2", text="poison")])
    (line,) = [line for line in lines if line["event"] == "batch_applied"]
    assert (line["group"], line["events"], line["dead_letters"]) == ("shop.payments", {"PaymentMade": 1}, 1)
    assert [line["key"] for line in lines if line["event"] == "event_applied"] == ["a1"]


def test_consumed_until_is_known_once_all_partitions_were_read_to_their_end():
    assert consumed_until("payments") is None
    deliver("payments", [bank("PaymentMade")])
    moment = consumed_until("payments")
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    ConsumerOffset.objects.filter(topic="payments").update(caught_up_at=None)
    assert consumed_until("payments") is None


def test_events_of_one_key_in_reverse_across_batches_are_all_applied():
    first, second = bank("PaymentMade", number=1), bank("PaymentMade", number=2)
    deliver("payments", [second])
    deliver("payments", [first, second])
    assert numbers() == [2, 1]


def test_a_handler_may_point_to_what_is_there():
    Shelf.objects.create()
    deliver("payments", [bank("PaymentMade")])
    assert subscription("payments").group == "shop.payments"
    assert numbers() == [1]


def test_a_batch_in_which_nothing_fails_needs_no_savepoint_and_one_that_stumbles_is_begun_anew():
    with CaptureQueriesContext(connection) as clean:
        deliver("payments", [bank("PaymentMade", f"a{n}", n) for n in range(4)])
    with CaptureQueriesContext(connection) as stumbling:
        deliver("payments", [bank("PaymentMade", f"b{n}", n, "poison" if n == 2 else "") for n in range(4)])
    # The test's own transaction makes savepoints of the bus's two; five calls find the culprit among four.
    assert [sum(q["sql"].startswith("SAVEPOINT") for q in found) for found in (clean, stumbling)] == [1, 7]
    assert sorted(numbers()) == [0, 0, 1, 1, 2, 3, 3]
