"""The rules alone."""

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import (
    Balance,
    Company,
    Kind,
    LedgerError,
    Posting,
    Price,
    Sums,
    business_date,
    correction_reason,
    cycle_key,
    due_on,
    fold,
    last_time_of_day,
    next_due,
    next_weekday,
    parse_price_keys,
    price_of,
    title_of,
    wait_begins,
    waits_for_consumption,
)
from billing.domain import prices as prices_module

HEADINGS = json.loads((Path(__file__).resolve().parents[2] / "schemas/tasks/headings.json").read_text("utf-8"))["lines"]
BERLIN = ZoneInfo("Europe/Berlin")
SIX = time(18)
KEY = bytes(range(32))
TASK = UUID("018f9f2e-6d3b-7c1a-9a52-7d5b0c9c4e21")


def posting(**given):
    fields = {"id": uuid4(), "key": "k", "kind": Kind.FEE, "account_id": TASK, "amount": 1000, "credit": False}
    return Posting(**{**fields, "occurred_at": datetime(2026, 3, 2, tzinfo=UTC), **given})


class TestPrices:
    def test_a_price_depends_on_the_key_and_the_task_alone(self):
        assert price_of(key=KEY, task_id=TASK) == price_of(key=KEY, task_id=TASK) == Price(fee=2000, reward=3000)
        assert price_of(key=KEY[::-1], task_id=TASK) != price_of(key=KEY, task_id=TASK)

    @given(st.uuids())
    def test_prices_are_whole_dollars_within_bounds(self, task_id):
        price = price_of(key=KEY, task_id=task_id)
        assert price.fee % 100 == price.reward % 100 == 0
        assert 1000 <= price.fee <= 2000
        assert 2000 <= price.reward <= 4000

    def test_prices_are_drawn_uniformly_and_apart_from_each_other(self):
        drawn = [price_of(key=KEY, task_id=UUID(int=number)) for number in range(11 * 21 * 20)]
        fees, rewards = Counter(price.fee for price in drawn), Counter(price.reward for price in drawn)
        assert len(fees) == 11
        assert len(rewards) == 21
        assert len({(price.fee, price.reward) for price in drawn}) == 11 * 21
        assert max(fees.values()) < 1.25 * min(fees.values())
        assert max(rewards.values()) < 1.5 * min(rewards.values())

    def test_a_number_of_the_incomplete_last_run_is_rejected(self, monkeypatch):
        digests = [b"\xff" * 32, b"\xff" * 8 + (13).to_bytes(8, "big") + b"\x00" * 16]
        messages = []

        class Digest:
            @staticmethod
            def digest(key, message, name):
                messages.append(message)
                return digests[len(messages) - 1]

        monkeypatch.setattr(prices_module, "hmac", Digest)
        assert prices_module._draw(KEY, "fee", TASK, (10, 20)) == 10 + 13 % 11
        assert messages == [f"fee:{attempt}:{TASK}".encode() for attempt in (0, 1)]

    def test_keys_are_read_in_order_and_the_first_prices(self):
        assert list(parse_price_keys("k2:" + "ab" * 16 + ", k1:" + "cd" * 32)) == ["k2", "k1"]

    @pytest.mark.parametrize(
        "text", ["", "k1", "k1:", "k1:zz", "k1:abcd", ":" + "ab" * 16, "a:" + "ab" * 16 + ",a:" + "cd" * 16]
    )
    def test_keys_that_are_not_understood_are_refused(self, text):
        with pytest.raises(ValueError):
            parse_price_keys(text)


class TestDueTimes:
    @pytest.mark.parametrize(
        ("after", "due"),
        [
            ("2026-03-02T08:00+01:00", "2026-03-02T18:00+01:00"),  # Monday morning
            ("2026-03-02T18:00+01:00", "2026-03-03T18:00+01:00"),  # the due time itself is over
            ("2026-03-06T18:00+01:00", "2026-03-09T18:00+01:00"),  # Friday to Monday
            ("2026-03-07T12:00+01:00", "2026-03-09T18:00+01:00"),  # Saturday
            ("2026-03-27T18:00+01:00", "2026-03-30T18:00+02:00"),  # the clock jumps ahead on Sunday
            ("2026-10-23T18:00+02:00", "2026-10-26T18:00+01:00"),  # and back
            ("2026-03-02T23:30+00:00", "2026-03-03T18:00+01:00"),  # already Tuesday in the business zone
        ],
    )
    def test_the_next_closing_is_at_six_on_the_next_weekday(self, after, due):
        found = next_due(datetime.fromisoformat(after), zone=BERLIN, at=SIX)
        assert found == datetime.fromisoformat(due)
        assert found.utcoffset() == timedelta(0)

    def test_days_of_the_clock_change_are_an_hour_shorter_and_longer(self):
        # A zone that changes on a weekday: Tehran left and joined on working days; here New York's Sunday as a due day.
        zone = ZoneInfo("America/New_York")
        spring = due_on(date(2026, 3, 8), zone=zone, at=SIX) - due_on(date(2026, 3, 7), zone=zone, at=SIX)
        autumn = due_on(date(2026, 11, 1), zone=zone, at=SIX) - due_on(date(2026, 10, 31), zone=zone, at=SIX)
        assert (spring, autumn) == (timedelta(hours=23), timedelta(hours=25))

    def test_a_due_time_that_the_clock_skips_comes_once_and_one_that_it_repeats_too(self):
        zone = ZoneInfo("Africa/Cairo")  # changes on Fridays at midnight
        skipped = due_on(date(2026, 4, 24), zone=zone, at=time(0, 30))
        assert skipped == datetime(2026, 4, 23, 22, 30, tzinfo=UTC)
        assert next_due(skipped, zone=zone, at=time(0, 30)).astimezone(zone).date() == date(2026, 4, 27)
        at = time(23, 30)  # repeated on Thursday, 29 October
        first = next_due(datetime(2026, 10, 29, 12, tzinfo=UTC), zone=zone, at=at)
        assert first == datetime(2026, 10, 29, 20, 30, tzinfo=UTC)
        assert next_due(first, zone=zone, at=at).astimezone(zone).date() == date(2026, 10, 30)

    @given(st.dates(date(2020, 1, 1), date(2030, 1, 1)))
    def test_no_weekday_lies_between_a_day_and_the_weekday_after_it(self, day):
        found = next_weekday(day)
        between = [day + timedelta(days=n) for n in range(1, (found - day).days)]
        assert found > day
        assert found.weekday() < 5
        assert all(day.weekday() >= 5 for day in between)

    @given(st.integers(0, 20 * 366 * 86_400))
    def test_due_times_rise_and_are_weekdays_at_six(self, seconds):
        moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        due = next_due(moment, zone=BERLIN, at=SIX)
        local = due.astimezone(BERLIN)
        assert moment < due <= moment + timedelta(days=3, hours=1)
        assert (local.time(), local.weekday() < 5) == (SIX, True)

    @pytest.mark.parametrize(
        ("moment", "day"),
        [
            ("2026-03-01T22:59:59+00:00", "2026-03-01"),
            ("2026-03-01T23:00:00+00:00", "2026-03-02"),
            ("2026-07-01T22:00:00+00:00", "2026-07-02"),
        ],
    )
    def test_the_day_of_an_entry_is_the_business_zones(self, moment, day):
        assert business_date(datetime.fromisoformat(moment), BERLIN) == date.fromisoformat(day)

    def test_closing_waits_for_consumption_for_fifteen_minutes(self):
        since = datetime(2026, 3, 2, 17, tzinfo=UTC)
        late = since + timedelta(minutes=15)
        assert waits_for_consumption(since=since, now=late - timedelta(seconds=1))
        assert not waits_for_consumption(since=since, now=late)

    def test_a_wait_goes_on_from_look_to_look_and_begins_anew_after_a_standstill(self):
        first = datetime(2026, 3, 2, 17, tzinfo=UTC)
        assert wait_begins(since=None, looked_at=None, now=first) == first
        looked_at = first + timedelta(minutes=3)
        on_time, late = looked_at + timedelta(minutes=5), looked_at + timedelta(minutes=5, microseconds=1)
        assert wait_begins(since=first, looked_at=looked_at, now=on_time) == first
        assert wait_begins(since=first, looked_at=looked_at, now=late) == late

    def test_a_cycle_is_known_by_its_due_time_whatever_the_zone_that_is_told_in(self):
        due = datetime(2026, 3, 2, 17, tzinfo=UTC)
        assert cycle_key(due) == cycle_key(due.astimezone(ZoneInfo("Asia/Tokyo"))) == "cycle:2026-03-02T17:00:00+00:00"

    @pytest.mark.parametrize(
        ("now", "last"),
        [
            ("2026-03-03T03:00+01:00", "2026-03-03T03:00+01:00"),
            ("2026-03-03T02:59+01:00", "2026-03-02T03:00+01:00"),
            ("2026-03-03T23:30+01:00", "2026-03-03T03:00+01:00"),
            ("2026-03-29T12:00+02:00", "2026-03-29T03:00+02:00"),  # the night without an hour from two to three
        ],
    )
    def test_three_in_the_morning_was_last_today_or_yesterday(self, now, last):
        found = last_time_of_day(datetime.fromisoformat(now), zone=BERLIN, at=time(3))
        assert found == datetime.fromisoformat(last)


class TestPostings:
    def test_a_fee_moves_money_from_the_worker_and_an_earning_to_the_worker(self):
        fee, earning = posting(), posting(kind=Kind.EARNING, credit=True)
        assert (fee.debit_id, fee.credit_id, fee.change) == (TASK, Company.INCOME, -1000)
        assert (earning.debit_id, earning.credit_id, earning.change) == (Company.INCOME, TASK, 1000)

    def test_a_payout_leaves_through_another_account_than_income(self):
        assert posting(kind=Kind.PAYOUT).credit_id == Company.PAYOUTS

    @pytest.mark.parametrize("amount", [0, -1])
    def test_an_amount_that_is_not_above_zero_is_refused(self, amount):
        with pytest.raises(LedgerError):
            posting(amount=amount)

    def test_each_part_of_the_payload_changes_its_hash(self):
        changes = {
            "kind": Kind.REVERSAL,
            "account_id": uuid4(),
            "amount": 1001,
            "credit": True,
            "occurred_at": datetime(2026, 3, 2, 0, 0, 0, 1, tzinfo=UTC),
            "task_id": uuid4(),
            "cause": "left",
            "actor_id": "somebody",
            "reassignment_id": uuid4(),
            "reverses": uuid4(),
            "reason": "why",
        }
        hashes = {posting(**{name: value}).payload_hash() for name, value in changes.items()}
        assert len(hashes | {posting().payload_hash()}) == len(changes) + 1

    def test_entries_are_numbered_and_know_the_balance_after_them(self):
        other = uuid4()
        balances = {TASK: Balance(500, 7), other: Balance()}
        entries = fold(
            balances, [posting(), posting(account_id=other), posting(kind=Kind.EARNING, credit=True, amount=2500)]
        )
        assert [(entry.entry_no, entry.balance_after) for entry in entries] == [(8, -500), (1, -1000), (9, 2000)]
        assert balances == {TASK: Balance(2000, 9), other: Balance(-1000, 1)}


class TestIncome:
    def test_income_is_fees_less_rewards_plus_reversed_rewards(self):
        sums = Sums()
        for kind, change, count in [("fee", -3000, 2), ("earning", 4000, 2), ("reversal", -2500, 1), ("fee", -1000, 1)]:
            sums.add(kind, change, count)
        assert (sums.fees, sums.earned, sums.reversed, sums.income) == (4000, 4000, 2500, 2500)
        assert (sums.work, sums.count) == (-2500, 6)

    def test_corrections_and_payouts_are_never_income(self):
        sums = Sums()
        for kind, change in [("payout", -5000), ("payout_return", 2000), ("adjustment", 700)]:
            sums.add(kind, change, 1)
        assert (sums.income, sums.paid, sums.corrections) == (0, 3000, 700)


class TestTexts:
    @pytest.mark.parametrize(("description", "jira_id", "title"), HEADINGS)
    def test_title_and_jira_id_are_read_from_a_description_as_everywhere(self, description, jira_id, title):
        assert title_of(description) == (description if title is None else title, jira_id)

    def test_a_reason_has_ten_to_five_hundred_characters(self):
        assert correction_reason("  ten chars.  ") == "ten chars."
        assert correction_reason("नमस्ते, वेतन की भूल थी") == "नमस्ते, वेतन की भूल थी"
        for text in ("too short", "x" * 501, " " * 20, "\N{ZERO WIDTH SPACE}" * 12, "\N{COMBINING ACUTE ACCENT}" * 12):
            with pytest.raises(LedgerError):
                correction_reason(text)
