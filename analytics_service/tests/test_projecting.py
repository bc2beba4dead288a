"""Numbers made of transactions, whatever order they come in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from analytics import selectors, services
from analytics.domain import ContradictoryTransaction, ForeignCurrency, Income, Period
from analytics.models import AccountBalance, KeptEvent
from tests.making import at, earned, make, posted, reversed_, uid

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)  # a Wednesday
NEXT = DAY + timedelta(days=1)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def consume(*events: object) -> None:
    services.facts_consume(events=list(events))


def top(day: date = DAY) -> list[str]:
    """Ids of the most expensive tasks of the day."""
    found = selectors.tops_by_day(Period(day, day)).get(day)
    return [str(task.task_id) for task in found.tasks] if found else []


def test_income_of_a_day_is_fees_minus_earnings_plus_reversals():
    consume(posted("fee", -1500, DAY), posted("fee", -1200, DAY), earned(2500, DAY), reversed_(2500, NEXT))
    consume(posted("payout", -300, DAY), posted("adjustment", 900, DAY))

    assert selectors.income_by_day(MARCH) == {DAY: Income(fees=2700, earnings=2500), NEXT: Income(reversals=2500)}


def test_the_day_is_the_one_in_the_event_not_that_of_any_clock_or_zone():
    """23:30 UTC is the next day in Berlin and the day before in New York: billing has decided."""
    consume(earned(2500, DAY, moment=datetime(2026, 3, 5, 3, 30, tzinfo=UTC)))

    assert set(selectors.income_by_day(MARCH)) == {DAY}
    assert top(DAY) == [uid("cage")]


def test_a_transfer_published_twice_under_two_event_ids_counts_once():
    consume(earned(2500, DAY))
    consume(earned(2500, DAY), earned(2500, DAY))

    assert selectors.income_by_day(MARCH) == {DAY: Income(earnings=2500)}
    assert AccountBalance.objects.get().balance == 2500
    assert KeptEvent.objects.count() == 3


def test_a_known_transfer_with_another_amount_is_refused():
    consume(earned(2500, DAY))

    with pytest.raises(ContradictoryTransaction):
        consume(earned(2600, DAY))


def test_a_transaction_in_another_currency_is_refused():
    with pytest.raises(ForeignCurrency):
        consume(earned(2500, DAY, currency="EUR"))


def test_notices_of_payouts_move_no_balance():
    consume(make("PayoutMade"), make("CycleClosed"))

    assert not AccountBalance.objects.exists()


def test_a_reversal_takes_the_task_out_of_the_ranking():
    consume(earned(4000, DAY, task="a"), earned(3000, DAY, task="b"))
    assert top() == [uid("a")]

    consume(reversed_(4000, NEXT, task="a"))

    assert top() == [uid("b")]


def test_a_reversal_that_comes_before_its_earning_takes_it_out_too():
    consume(reversed_(4000, NEXT, task="a"))
    consume(earned(4000, DAY, task="a"))

    assert top() == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_done_undone_done_counts_the_last_completion(order: tuple[int, ...]):
    events = [earned(4000, DAY), reversed_(4000, DAY), earned(4000, NEXT, completion=2)]
    for place in order:
        consume(events[place])

    assert (top(DAY), top(NEXT)) == ([], [uid("cage")])


def test_while_a_reversal_is_under_way_a_task_stands_once_at_its_last_completion():
    consume(earned(4000, DAY), earned(4000, NEXT, completion=2))

    assert (top(DAY), top(NEXT)) == ([], [uid("cage")])


def test_ties_are_all_shown_the_earliest_first_then_by_task():
    consume(
        earned(4000, DAY, task="late", moment=at(DAY, 15)),
        earned(4000, DAY, task="x", moment=at(DAY, 9)),
        earned(4000, DAY, task="y", moment=at(DAY, 9)),
        earned(3900, DAY, task="cheaper", moment=at(DAY, 8)),
    )

    assert top() == [*sorted([uid("x"), uid("y")]), uid("late")]


def test_who_earned_is_who_is_named():
    consume(earned(4000, DAY, account="max"))

    assert selectors.tops_by_day(MARCH)[DAY].tasks[0].account_id == UUID(uid("max"))


def test_weeks_begin_on_monday_and_months_on_the_first():
    sunday, monday = date(2026, 3, 1), date(2026, 3, 2)
    saturday = date(2026, 2, 28)
    consume(
        earned(4000, saturday, task="saturday"),
        earned(3500, sunday, task="sunday"),
        earned(3000, monday, task="monday"),
    )

    report = selectors.report_show(period=Period(saturday, monday))

    def tasks(spans: list[selectors.Span]) -> list[list[UUID]]:
        return [[task.task_id for task in span.top.tasks] if span.top else [] for span in spans]

    assert tasks(report.weeks) == [[UUID(uid("saturday"))], [UUID(uid("monday"))]]
    assert tasks(report.months) == [[UUID(uid("saturday"))], [UUID(uid("sunday"))]]


def test_a_day_without_completions_has_its_row():
    consume(earned(4000, DAY))

    report = selectors.report_show(period=Period(DAY - timedelta(days=1), NEXT))

    assert [(day.day, day.top is None) for day in report.days] == [
        (DAY - timedelta(days=1), True),
        (DAY, False),
        (NEXT, True),
    ]


def test_a_completion_outside_the_period_is_not_in_it():
    consume(earned(4000, DAY - timedelta(days=1), task="before"), earned(4000, NEXT, task="after"))

    assert selectors.report_show(period=Period(DAY, DAY)).overall is None


def test_a_tie_lists_every_task_of_it():
    consume(*(earned(4000, DAY, task=number, moment=at(DAY, 8, number)) for number in range(9)), earned(3000, NEXT))
    period = Period(DAY, NEXT)

    found = selectors.top_of_period(period)

    assert found is not None
    assert found.more
    assert {row.task_id for row in selectors.tie(top=found, period=period)} == {
        UUID(uid(number)) for number in range(9)
    }


def test_a_task_is_called_by_its_latest_title_also_when_an_older_one_comes_later():
    consume(earned(4000, DAY, task="cage"))
    consume(make("TaskUpdated", task_id=uid("cage"), version=3, title="New", jira_id=None))
    consume(make("TaskCreated", schema_version=1, task_id=uid("cage")))

    label = selectors.labels(selectors.tops_by_day(MARCH)[DAY].tasks)[UUID(uid("cage"))]

    assert (label.title, label.jira_id) == ("New", None)


def test_a_title_and_an_earner_not_heard_of_yet_are_no_error():
    consume(earned(4000, DAY, task="cage", account="max"))

    label = selectors.labels(selectors.tops_by_day(MARCH)[DAY].tasks)[UUID(uid("cage"))]

    assert (label.title, label.earner) == ("", uid("max")[:8])


def account(name: str, *, version: int, role: str = "worker", active: bool = True) -> object:
    return make("AccountUpdated", account_id=uid(name), version=version, full_name=name, role=role, active=active)


def test_workers_below_zero_are_counted_and_leavers_apart():
    services.accounts_consume(
        events=[
            account("debtor", version=1),
            account("gone", version=1, active=False),
            account("promoted", version=1, role="manager"),
            account("rich", version=1),
        ]
    )
    for name in ("debtor", "gone", "promoted", "unknown"):
        consume(posted("fee", -1500, DAY, account=name))
    consume(earned(2500, DAY, account="rich"), posted("fee", -2500, DAY, account="rich"))

    assert selectors.below_zero() == selectors.BelowZero(workers=2, leavers=2)


def test_a_deleted_account_below_zero_is_a_leaver():
    consume(posted("fee", -1500, DAY, account="gone"))
    services.accounts_consume(events=[make("AccountDeleted", account_id=uid("gone"), version=9)])
    services.accounts_consume(events=[account("gone", version=3)])

    assert selectors.below_zero() == selectors.BelowZero(workers=0, leavers=1)
