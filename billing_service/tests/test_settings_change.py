"""Settings that change one day do not change what was."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from billing.models import Cycle, Transfer
from billing.selectors.days import days
from billing.selectors.ledger_check import ledger_findings
from billing.services.cycles import cycle_open_first
from billing.services.task_events import task_events_post
from tests.ledger import close
from tests.make import DUE, MONDAY, assigned, completed, task_id

DAY = timedelta(days=1)


def worked_for_three_days():
    """Monday to Wednesday, each closed at six, and a completion of Monday that is told on Wednesday."""
    cycle_open_first(due_at=DUE)
    for number in range(3):
        task_events_post([assigned(task_id(number), time=MONDAY + number * DAY)])
        if number == 2:
            task_events_post([completed(task_id(0), time=MONDAY)])
        close(DUE + number * DAY)


def shown():
    found = days(date(2026, 3, 1), date(2026, 3, 5))
    return [(day.day, day.sums.income, day.afterwards.income, day.closed) for day in found]


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_another_business_zone_rewrites_no_day_that_was(settings, zone):
    worked_for_three_days()
    before = shown()
    assert sum(afterwards != 0 for _, _, afterwards, _ in before) == 1
    settings.BUSINESS_TIME_ZONE = zone
    assert shown() == before
    assert ledger_findings() == []


@pytest.mark.django_db
def test_a_new_closing_time_and_zone_count_from_the_next_cycle(settings):
    worked_for_three_days()
    settings.BUSINESS_TIME_ZONE = "America/New_York"
    due = Cycle.objects.get(state="open").due_at
    assert due == DUE + 3 * DAY
    close(due)
    following = Cycle.objects.get(state="open")
    assert following.due_at == due + timedelta(hours=6)  # six o'clock in New York, of the same Thursday
    assert (following.day, ledger_findings()) == (date(2026, 3, 5), [])


@pytest.mark.django_db
def test_a_deployment_with_another_currency_is_refused_once_an_entry_exists(settings):
    cycle_open_first(due_at=DUE)
    settings.CURRENCY = "EUR"
    call_command("migrate", verbosity=0)
    settings.CURRENCY = "USD"
    task_events_post([assigned()])
    call_command("migrate", verbosity=0)
    settings.CURRENCY = "EUR"
    with pytest.raises(ImproperlyConfigured, match="counts in USD, CURRENCY is EUR"):
        call_command("migrate", verbosity=0)
    assert {finding.rule for finding in ledger_findings()} == {"all cycles count in the currency of the settings"}
    assert Transfer.objects.count() == 1
