"""U2: the list of accounts: found, sorted, narrowed, page by page, and exported as it is shown."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from accounts import selectors
from accounts.domain import ADMIN, FINANCE, MANAGER, WORKER
from accounts.models import Account
from chassis.tables import paginate

from .conftest import NOW
from .steps import Make, SignIn, page

pytestmark = pytest.mark.no_cover  # traced, it takes twice as long

HEADERS = ["Name", "E-mail", "Position", "Role", "Status", "Last sign-in"]


@pytest.fixture
def people(make_account: Make) -> None:
    """Known people, one without a name, one in small letters, one invited, one out."""
    for email, full_name, more in (
        ("max@popug.example", "Max Braun", {"role": MANAGER, "position": "Shift manager"}),
        ("fatima.finke@popug.example", "Fatima Finke", {"role": FINANCE}),
        ("boer@popug.example", "de Boer", {}),
        ("nameless@popug.example", "", {}),
        ("new@popug.example", "Nora Neu", {"confirmed": False}),
        ("out@popug.example", "Otto Out", {}),
    ):
        make_account(email, full_name=full_name, **more)
    Account.objects.filter(email="out@popug.example").update(is_active=False)
    Account.objects.filter(email="max@popug.example").update(last_login=NOW)
    Account.objects.filter(email="boer@popug.example").update(last_login=NOW - timedelta(days=1))


@pytest.fixture
def client(admin: Account, people: None, browser: SignIn) -> Client:
    return browser(admin)


def names(response: Any) -> list[str]:
    return [cell.get_text(strip=True) for cell in page(response).select("tbody th")]


def test_the_list_shows_name_address_position_role_status_and_last_sign_in(client: Client) -> None:
    headers = [cell.get_text(strip=True) for cell in page(client.get("/")).select("thead th")]
    assert headers == HEADERS
    row = page(client.get("/?q=braun")).select_one("tbody tr").get_text(" ", strip=True)
    assert row.startswith("Max Braun max@popug.example Shift manager manager active")


def test_accounts_are_by_name_in_any_case_and_who_has_none_by_address(client: Client) -> None:
    by_name = ["Ada Adler", "de Boer", "Fatima Finke", "Max Braun", "nameless@popug.example", "Nora Neu", "Otto Out"]
    assert names(client.get("/")) == by_name
    assert names(client.get("/?sort=-name")) == by_name[::-1]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("email", "Ada Adler"),
        ("-email", "Otto Out"),
        ("role", "Ada Adler"),
        ("-seen", "Ada Adler"),
    ],
)
def test_the_list_sorts_by_each_column_that_has_an_index(client: Client, sort: str, first: str) -> None:
    assert names(client.get(f"/?sort={sort}"))[0] == first


def test_who_never_signed_in_is_the_longest_away(client: Client) -> None:
    assert names(client.get("/?sort=-seen"))[:3] == ["Ada Adler", "Max Braun", "de Boer"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bra", ["Max Braun"]),
        ("MAX br", ["Max Braun"]),
        ("raun", []),
        ("fatima.fi", ["Fatima Finke"]),
        ("fatima.finke@pop", ["Fatima Finke"]),
        ("FATIMA.finke@popug.example", ["Fatima Finke"]),
        ("shift", ["Max Braun"]),
        ("max finke", []),
        ("max 'or'1'='1", []),
        ("max:* | nora", []),
        ("\\' !!! &", []),
        ("😀", []),
        ("%", []),
        ("@", []),
    ],
)
def test_words_are_found_by_how_they_begin(client: Client, text: str, found: list[str]) -> None:
    assert names(client.get("/", {"q": text})) == found


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("role=manager", ["Max Braun"]),
        ("status=deactivated", ["Otto Out"]),
        ("status=invited", ["Nora Neu"]),
        ("role=worker&status=active", ["de Boer", "nameless@popug.example"]),
    ],
)
def test_the_list_is_narrowed_by_role_and_status(client: Client, question: str, found: list[str]) -> None:
    assert names(client.get(f"/?{question}")) == found


def test_each_order_goes_on_page_by_page_without_a_gap(client: Client) -> None:
    Account.objects.bulk_create(
        Account(id=uuid4(), email=f"w{n:03}@popug.example", full_name="Same Name", created_at=NOW, updated_at=NOW)
        for n in range(120)
    )
    for sort in ("name", "-name", "email", "-email", "role", "-role", "seen", "-seen"):
        address, seen = f"/?sort={sort}", []
        while address:
            shown = page(client.get(address))
            seen += [link["href"] for link in shown.select("tbody th a")]
            following = shown.select_one("[rel=next]")
            address = f"/{following['href']}" if following else ""
        assert len(seen) == len(set(seen)) == Account.objects.count(), sort


def test_the_list_asks_the_same_number_of_queries_however_long_it_is(
    client: Client, django_assert_num_queries: Any
) -> None:
    client.get("/")
    with django_assert_num_queries(3):  # session, account, page
        client.get("/")
    Account.objects.bulk_create(
        Account(id=uuid4(), email=f"w{n}@popug.example", full_name=f"W {n}", created_at=NOW, updated_at=NOW)
        for n in range(200)
    )
    with django_assert_num_queries(4):  # and how common the word is
        client.get("/?q=w&status=invited&sort=-seen")


def test_a_search_reads_its_index_and_not_every_account(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for text in ("wil", "w.weber@pop"):
            plan = selectors.accounts_search(text=text).explain()
            assert "account_words" in plan or "account_email_prefix" in plan


def test_common_words_and_rare_ones_are_found_with_their_accounts_in_order(db: None) -> None:
    Account.objects.bulk_create(
        Account(
            id=uuid4(),
            email=f"w{n}@popug.example",
            full_name=f"Popug {n:03}",
            position="Feeder",
            created_at=NOW,
            updated_at=NOW,
        )
        for n in range(60)
    )
    found = {text: list(selectors.accounts_search(text=text).order_by("sorted_name", "id")) for text in ("feed", "042")}
    assert [account.full_name for account in found["feed"]] == [f"Popug {n:03}" for n in range(60)]
    assert [account.full_name for account in found["042"]] == ["Popug 042"]
    assert "ANY (" in selectors.accounts_search(text="042").explain()
    assert "ANY (" not in selectors.accounts_search(text="feed").explain()


@pytest.mark.parametrize(
    ("sort", "index"),
    [
        ("sorted_name", "account_by_sorted_name"),
        ("email", "account_by_email"),
        ("role", "account_by_role"),
        ("seen_at", "account_by_sign_in"),
    ],
)
def test_each_order_reads_an_index(db: None, sort: str, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    assert index in selectors.accounts_search().order_by(sort, "id").explain()


def test_the_csv_has_all_rows_of_the_filter_as_the_page_shows_them(client: Client) -> None:
    response = client.get("/accounts/export?format=csv&q=max")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        HEADERS,
        ["Max Braun", "max@popug.example", "Shift manager", "manager", "Active", "2026-03-02T10:00:00+01:00"],
    ]
    everything = b"".join(client.get("/accounts/export?format=csv").streaming_content).decode("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(everything))][1:] == names(client.get("/"))


def test_the_xlsx_says_what_it_is_and_holds_the_same_rows(client: Client) -> None:
    response = client.get("/accounts/export?format=xlsx&role=worker&sort=-name")
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert (about["Filters"], about["Made by"]) == ("role: worker", "Ada Adler")
    rows = [[cell.value for cell in row] for row in book["Rows"].iter_rows()]
    assert rows[0] == HEADERS
    assert [row[0] for row in rows[1:]] == names(client.get("/?role=worker&sort=-name"))
    assert about["Accounts"] == len(rows) - 1 > 0


def test_a_name_like_a_formula_is_text_in_the_export(client: Client) -> None:
    Account.objects.filter(email="max@popug.example").update(full_name="=cmd|' /C calc'!A0")
    text = b"".join(client.get("/accounts/export?format=csv&role=manager").streaming_content).decode()
    assert "'=cmd|" in text


@pytest.mark.parametrize("role", [MANAGER, FINANCE, WORKER])
def test_the_export_needs_the_right_of_its_page(make_account: Make, browser: SignIn, role: str) -> None:
    assert browser(make_account(role=role)).get("/accounts/export").status_code == 403


@pytest.mark.parametrize("question", ["format=pdf", "role=owner", "colour=red", "sort=x"])
def test_an_export_that_is_not_understood_is_an_error(client: Client, question: str) -> None:
    assert client.get(f"/accounts/export?{question}").status_code == 400


def test_the_page_offers_its_own_filter_for_export(client: Client) -> None:
    links = [link["href"] for link in page(client.get("/?role=worker&sort=-name")).select(".page-actions a")]
    assert "/accounts/export?role=worker&sort=-name&format=csv" in links
    assert client.get(links[1]).status_code == 200


def test_no_match_is_apart_from_nothing(client: Client) -> None:
    shown = client.get("/?q=zebra").content.decode()
    assert "No account matches" in shown
    assert "Show all accounts" in shown


def test_times_are_of_the_business_zone(client: Client) -> None:
    shown = page(client.get("/?q=max")).select_one("tbody time")
    assert datetime.fromisoformat(shown["datetime"]) == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert Account.objects.filter(role=ADMIN).count() == 1


def test_accounts_that_came_since_are_offered_by_the_filter_of_the_list(
    admin: Account, make_account: Make, browser: SignIn
) -> None:
    client = browser(admin)
    address = page(client.get("/?role=manager&sort=-email")).select_one(".news")["hx-get"]
    assert client.get(address).content.strip() == b""
    for number, role in enumerate((MANAGER, MANAGER, WORKER)):
        make_account(f"new{number}@popug.example", role, now=timezone.now())
    offered = page(client.get(address)).a
    assert offered.get_text() == "2 new, show"
    assert offered["href"] == "/?role=manager&sort=-email"
    assert client.get("/accounts/news?since=yesterday").status_code == 400
    assert browser(make_account()).get(address).status_code == 403


def test_a_later_page_of_the_list_asks_for_no_news(client: Client) -> None:
    cursor = paginate(selectors.accounts_search(), order=("sorted_name", "id"), size=1).next_cursor
    assert not page(client.get(f"/?after={cursor}")).select(".news")
