"""Amounts and times as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template

from chassis.business_time import business_date, day_bounds, format_ago, format_iso, format_when
from chassis.money import CentsField, format_cents

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _berlin(settings):
    settings.BUSINESS_TIME_ZONE, settings.CURRENCY = "Europe/Berlin", "USD"


def rendered(text, **context):
    return Template("{% load chassis %}" + text).render(Context(context))


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (123450, "$1,234.50"),
        (-1200, "-$12.00"),
        (0, "$0.00"),
        (5, "$0.05"),
        (-5, "-$0.05"),
        (10**12, "$10,000,000,000.00"),
    ],
)
def test_cents_are_shown_with_their_currency(cents, text):
    assert format_cents(cents) == text


def test_a_credit_has_a_plus_a_charge_a_minus_and_nothing_neither():
    assert [format_cents(cents, plus=True) for cents in (2400, -1200, 0)] == ["+$24.00", "-$12.00", "$0.00"]


def test_each_currency_has_its_sign_and_an_unknown_one_its_code():
    assert [format_cents(100, code) for code in ("EUR", "CHF", "XTS")] == ["€1.00", "CHF 1.00", "XTS 1.00"]


@pytest.mark.parametrize("wrong", [1.5, "12", True, None])
def test_an_amount_that_is_not_whole_cents_is_refused(wrong):
    with pytest.raises(TypeError, match="cents are an int"):
        format_cents(wrong)


def test_an_amount_typed_by_a_person_becomes_cents():
    field = CentsField(max_cents=100_000)
    assert [field.clean(text) for text in ("12", "12.5", "12.34", "1000.00")] == [1200, 1250, 1234, 100_000]
    assert CentsField(max_cents=100, required=False).clean("") is None


@pytest.mark.parametrize("text", ["0", "-1", "12.345", "1000.01", "a", "NaN", "Infinity", "1e99", ""])
def test_an_amount_out_of_bounds_is_an_error_of_the_field(text):
    with pytest.raises(ValidationError):
        CentsField(max_cents=100_000).clean(text)


def test_a_day_is_one_of_the_business_zone():
    assert business_date(datetime(2026, 3, 1, 23, 30, tzinfo=UTC)) == date(2026, 3, 2)
    assert business_date(datetime(2026, 7, 1, 21, 59, tzinfo=UTC)) == date(2026, 7, 1)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_a_day_of_a_clock_change_is_shorter_or_longer(day, hours):
    first, following = day_bounds(day)
    assert following - first == timedelta(hours=hours)
    assert business_date(first) == business_date(following - timedelta(microseconds=1)) == day


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        business_date(datetime(2026, 3, 2))  # noqa: DTZ001


def test_times_are_shown_in_the_business_zone_with_its_name():
    assert format_when(NOON) == "2 Mar 2026, 13:00 CET"
    assert format_iso(datetime(2026, 7, 1, 12, 0, 5, 9, tzinfo=UTC)) == "2026-07-01T14:00:05+02:00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-30, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 day ago"),
        (3 * 86_400, "3 days ago"),
        (7 * 86_400, "2 Mar 2026, 13:00 CET"),
        (-3600, "2 Mar 2026, 13:00 CET"),
    ],
)
def test_how_long_ago_is_said_in_words_up_to_a_week(seconds, text):
    assert format_ago(NOON, NOON + timedelta(seconds=seconds)) == text


def test_amounts_in_templates():
    assert rendered("{{ c|money }} {{ c|credit }} {{ c|tone }}", c=2400) == "$24.00 +$24.00 amount-above"
    assert rendered("{{ c|money }} {{ c|credit }} {{ c|tone }}", c=-1) == "-$0.01 -$0.01 amount-below"
    assert rendered("[{{ c|tone }}]", c=0) == "[]"
    assert rendered("[{{ c|money }}{{ c|credit }}]", c=None) == "[]"


def test_times_in_templates_have_the_exact_time_on_hover(time_machine):
    time_machine.move_to(NOON + timedelta(minutes=5), tick=False)
    start = '<time datetime="2026-03-02T13:00:00+01:00" title="2026-03-02T13:00:00+01:00">'
    assert rendered("{{ t|when }}", t=NOON) == f"{start}2 Mar 2026, 13:00 CET</time>"
    assert rendered("{{ t|timeago }}", t=NOON) == f"{start}5 min ago</time>"
    assert rendered("[{{ t|when }}{{ t|timeago }}]", t=None) == "[]"


def test_roles_are_listed_in_words():
    assert rendered("{{ r|roles_text }}", r=["admin"]) == "admin"
    assert rendered("{{ r|roles_text }}", r=["admin", "manager", "finance"]) == "admin, manager and finance"


def test_people_are_called_by_name_or_address():
    assert [rendered("{{ p|person_name }}", p=p) for p in (Person(name="Max"), Person(email="m@x"))] == ["Max", "m@x"]


class Person:
    def __init__(self, **fields):
        self.__dict__.update(fields)
