"""What people do about dead letters."""

from datetime import UTC, datetime, timedelta

import pytest
from sample import consumed
from sample.models import Effect
from sample.published import EPOCH, bank

from dev.language import speaking
from eventbus import dead_letters, dead_letters_of, open_dead_letters
from eventbus.models import DeadLetter, InboxRow, Sequence
from eventbus.testing import deliver

pytestmark = pytest.mark.django_db


def sequence_of_three() -> list[DeadLetter]:
    deliver(
        "payments",
        [
            bank("PaymentMade", number=1, text="poison"),
            bank("PaymentCancelled", number=2),
            bank("PaymentMade", number=3),
        ],
    )
    return list(DeadLetter.objects.order_by("id"))


def test_later_events_of_a_dead_letters_key_wait_behind_it_in_order():
    letters = sequence_of_three()
    assert [(letter.state, letter.event_name) for letter in letters] == [
        ("dead", "PaymentMade"),
        ("waiting", "PaymentCancelled"),
        ("waiting", "PaymentMade"),
    ]
    deliver("payments", [bank("PaymentMade", number=4), bank("PaymentMade", "a2", number=5)])
    assert DeadLetter.objects.order_by("id").last().state == "waiting"
    assert [effect.number for effect in Effect.objects.all()] == [5]
    assert open_dead_letters() == 4


def test_letters_of_a_key_are_found_decided_or_not_and_where_only_the_record_names_it():
    letters = sequence_of_three()
    dead_letters.discard(letters[0].pk, by="me", reason="wrong")
    deliver("payments", [bank("PaymentMade", "other", number=4, text="poison")])
    DeadLetter.objects.filter(pk=letters[1].pk).update(sequence_key="", event_name="", event_id=None, value=b"junk")
    found = list(dead_letters_of([letters[0].sequence_key, "nobody"]))
    assert found == letters
    assert {letter.about for letter in found} == {letters[0].sequence_key}


def test_retry_applies_a_sequence_in_order_and_later_events_pass_again():
    first = sequence_of_three()[0]
    consumed.healed.set()
    assert dead_letters.retry(first.pk, by="me") == dead_letters.Retried(applied=3, left=0, error="")
    deliver("payments", [bank("PaymentMade", number=4)])
    assert [effect.number for effect in Effect.objects.order_by("id")] == [1, 2, 3, 4]
    assert set(DeadLetter.objects.values_list("state", "resolved_by", "attempts")) == {("applied", "me", 1)}
    assert set(InboxRow.objects.values_list("outcome", flat=True)) == {InboxRow.Outcome.APPLIED}
    assert not Sequence.objects.exists()


def test_retry_ends_at_the_first_that_fails_again():
    first = sequence_of_three()[0]
    assert dead_letters.retry(first.pk, by="me") == dead_letters.Retried(
        applied=0, left=3, error="ValueError: cannot take 1\\x00"
    )
    first.refresh_from_db()
    assert (first.state, first.attempts) == ("dead", 1)
    assert not Effect.objects.exists()


def test_one_from_the_future_is_applied_once_its_time_has_come(tmp_path, settings):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    deliver(
        "payments",
        [
            bank("PaymentMade", "a1", 1, time=EPOCH + timedelta(hours=1), received_at=EPOCH),
            bank("PaymentMade", "a2", 2, time=tomorrow, received_at=tomorrow - timedelta(hours=1)),
        ],
    )
    early, earlier_still = DeadLetter.objects.filter(reason="future").order_by("id")
    assert dead_letters.retry(early.pk, by="me") == dead_letters.Retried(applied=1, left=0, error="")
    assert "has not come yet" in dead_letters.retry(earlier_still.pk, by="me").error
    with speaking({"Its time, %(time)s, has not come yet.": "Erst um %(time)s."}, folder=tmp_path, settings=settings):
        assert dead_letters.retry(earlier_still.pk, by="me").error.startswith("Erst um 20")
    assert [effect.number for effect in Effect.objects.all()] == [1]


def test_retrying_what_was_decided_is_refused():
    first = sequence_of_three()[0]
    consumed.healed.set()
    dead_letters.retry(first.pk, by="me")
    with pytest.raises(dead_letters.NotOpen, match="before"):
        dead_letters.retry(first.pk, by="me")
    with pytest.raises(dead_letters.NotOpen, match="no dead letter"):
        dead_letters.retry(first.pk + 1000, by="me")


def test_a_discarded_letter_is_never_applied_and_the_next_one_takes_its_place():
    first, second, _third = sequence_of_three()
    dead_letters.discard(first.pk, by="me", reason=" not ours ")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.resolved_by, first.resolution) == ("discarded", "me", "not ours")
    assert second.state == "dead"
    assert [letter.pk for letter in dead_letters.listing()] == [second.pk]
    assert dead_letters.retry(second.pk, by="me").applied == 2
    assert [effect.number for effect in Effect.objects.order_by("id")] == [2, 3]
    assert InboxRow.objects.get(event_id=first.event_id).outcome == InboxRow.Outcome.DISCARDED


def test_discarding_the_last_lets_later_events_pass():
    deliver("payments", [bank("PaymentMade", text="poison")])
    dead_letters.discard(DeadLetter.objects.get().pk, by="me", reason="wrong")
    deliver("payments", [bank("PaymentMade", number=2)])
    assert Effect.objects.get().number == 2


def test_discarding_needs_a_reason():
    first = sequence_of_three()[0]
    with pytest.raises(ValueError, match="reason"):
        dead_letters.discard(first.pk, by="me", reason=" ")


def test_the_list_is_oldest_first_and_counts_those_behind():
    sequence_of_three()
    deliver("payments", [bank("PaymentMade", "a2", text="poison")])
    assert [(letter.key_text, letter.waiting_behind) for letter in dead_letters.listing()] == [("a1", 2), ("a2", 0)]
    first = dead_letters.listing(size=1)[0]
    assert [letter.key_text for letter in dead_letters.listing(after=first.pk)] == ["a2"]
