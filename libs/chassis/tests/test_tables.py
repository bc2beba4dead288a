"""Lists: every row once, whatever the order, and an address that is not understood is an error."""

import base64
import json
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from django.db.models import F
from django.db.models.functions import NullIf
from sample.models import Sample

from chassis.errors import NotUnderstood
from chassis.tables import paginate, table_page

ORDERS = [("-made_at", "-id"), ("made_at", "id"), ("cents", "id"), ("-cents", "title", "-id"), ("title",)]


def walk(order, size, queryset=None):
    queryset = Sample.objects.all() if queryset is None else queryset
    page = paginate(queryset, order=order, size=size)
    pages = [page]
    while page.next_cursor:
        page = paginate(queryset, order=order, after=page.next_cursor, size=size)
        pages.append(page)
    return pages


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 65, 130, 200])
def test_the_pages_hold_every_row_once_in_order(samples, order, size):
    seen = [row.pk for page in walk(order, size) for row in page]
    assert seen == list(Sample.objects.order_by(*order).values_list("pk", flat=True))


@pytest.mark.parametrize("order", ORDERS)
def test_the_way_back_shows_the_same_pages(samples, order):
    pages = walk(order, 40)
    assert [len(page) for page in pages] == [40, 40, 40, 10]
    for earlier, later in pairwise(pages):
        back = paginate(Sample.objects.all(), order=order, before=later.previous_cursor, size=40)
        assert back.rows == earlier.rows
        assert back.next_cursor == earlier.next_cursor
        assert bool(back.previous_cursor) == bool(earlier.previous_cursor)


def test_a_row_that_came_meanwhile_shifts_nothing(samples):
    first = paginate(Sample.objects.all(), order=("-id",), size=10)
    Sample.objects.create(title="new", made_at=first.rows[0].made_at)
    second = paginate(Sample.objects.all(), order=("-id",), after=first.next_cursor, size=10)
    assert second.rows[0].pk == first.rows[-1].pk - 1


def test_values_and_annotations_are_paged_too(samples):
    queryset = Sample.objects.annotate(twice=F("cents") * 2).values("id", "twice")
    seen = [row["id"] for page in walk(("-twice", "id"), 33, queryset) for row in page]
    assert seen == list(queryset.order_by("-twice", "id").values_list("id", flat=True))


def test_a_far_page_is_one_range_of_the_index(samples, django_assert_num_queries):
    far = walk(("cents", "id"), 50)[1]
    with django_assert_num_queries(1) as queries:
        paginate(Sample.objects.all(), order=("cents", "id"), after=far.next_cursor)
    assert '("sample_sample"."cents", "sample_sample"."id") > (' in queries.captured_queries[0]["sql"]


def test_an_empty_list_has_no_neighbours(db):
    page = paginate(Sample.objects.all(), order=("id",))
    assert (len(page), page.previous_cursor, page.next_cursor) == (0, None, None)


def cursor(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "bad",
    [
        "x",
        "é",
        cursor("no time", 1),
        cursor(1),
        cursor(),
        cursor(None, None),
        cursor("2026-03-02T08:00Z", 10**30),
        "e30",
    ],
)
def test_a_cursor_of_another_list_is_not_understood(samples, bad):
    with pytest.raises(NotUnderstood, match="does not exist"):
        paginate(Sample.objects.all(), order=("made_at", "id"), after=bad)


def test_a_page_is_not_before_and_after(samples):
    with pytest.raises(NotUnderstood, match="not both"):
        paginate(Sample.objects.all(), order=("id",), after=cursor(1), before=cursor(2))


def test_an_order_with_null_is_a_mistake_of_the_page(samples):
    queryset = Sample.objects.annotate(maybe=NullIf("cents", "cents"))
    with pytest.raises(ValueError, match="maybe is NULL"):
        paginate(queryset, order=("maybe", "id"), size=1)


def test_an_order_that_there_is_not_is_not_understood(rf, samples):
    with pytest.raises(NotUnderstood, match=r"There is no order “colour”\. Orders are: made."):
        table_page(rf.get("/?sort=colour"), Sample.objects.all(), sorts={"made": ("made_at", "id")}, default="made")


def test_the_address_names_order_filter_and_place(browser, samples):
    client = browser("worker")
    page = BeautifulSoup(client.get("/samples?q=cage&sort=amount").content, "html.parser")
    following = page.select_one("[rel=next]")["href"]
    assert "q=cage" in following
    assert "sort=amount" in following
    second = BeautifulSoup(client.get(f"/samples{following}").content, "html.parser")
    assert len(second.select("tr[data-row]")) == 50
    assert second.select_one("[rel=prev]") is not None
    titles = {cell.get_text() for shown in (page, second) for cell in shown.select(".lead-cell")}
    assert len(titles) == 100


def test_a_header_sorts_and_pressed_again_turns_the_order(browser, samples):
    client = browser("worker")

    def headers(address):
        page = BeautifulSoup(client.get(address).content, "html.parser")
        return {cell.get_text(): (cell.get("aria-sort"), cell.a["href"]) for cell in page.select("th:has(.sort)")}

    assert headers("/samples")["Assigned"] == ("descending", "?sort=made")
    assert headers("/samples")["Reward"] == (None, "?sort=amount")
    assert headers("/samples?sort=amount")["Reward"] == ("ascending", "?sort=-amount")
    assert headers("/samples?sort=amount")["Assigned"] == (None, "?sort=-made")


def test_no_match_says_what_to_do(browser, samples):
    text = BeautifulSoup(browser("worker").get("/samples?q=zebra").content, "html.parser").select_one(".empty")
    assert "No task matches" in text.get_text()
