"""Who may see whose money."""

from uuid import uuid4

import pytest

from billing.models import Cycle
from chassis.business_time import format_when, in_zone
from eventbus.models import DeadLetter
from eventbus.testing import deliver
from tests.make import (
    WILMA,
    assigned,
    task_id,
)
from tests.pages import page, text

pytestmark = pytest.mark.django_db
TASK = task_id()


class TestWhoSeesWhat:
    ADDRESSES = (
        "/", "/workers", "/days/2026-03-02", "/cycles", "/corrections", "/search", f"/tasks/{TASK}", "/totals",
        "/workers/totals", "/people",
    )  # fmt: skip

    @pytest.mark.parametrize("role", ["admin", "finance"])
    def test_the_office_sees_everything(self, browser, role, worked):
        client = browser(role)
        for address in (*self.ADDRESSES, f"/workers/{WILMA}", f"/cycles/{Cycle.objects.get().id}", "/statement"):
            page(client, address)

    @pytest.mark.parametrize("role", ["worker", "manager"])
    def test_others_are_sent_from_the_overview_to_their_own_statement(self, browser, role):
        assert browser(role).get("/").headers["Location"] == "/statement"

    @pytest.mark.parametrize("role", ["worker", "manager"])
    def test_others_see_their_own_statement_only(self, browser, role, worked):
        client = browser(role)
        for address in (*self.ADDRESSES[1:], f"/workers/{WILMA}", f"/cycles/{Cycle.objects.get().id}"):
            response = client.get(address)
            assert response.status_code == 403
            assert "admin and finance" in response.content.decode()
        page(client, f"/workers/{client.account.id}")

    def test_nobody_sees_anything_without_signing_in(self, client, worked):
        for address in (*self.ADDRESSES, "/statement", f"/workers/{WILMA}"):
            assert client.get(address).headers["Location"].startswith("/login")

    @pytest.mark.parametrize("role", ["worker", "admin", "manager"])
    def test_only_finance_may_close_a_cycle(self, browser, role, worked):
        assert browser(role).post(f"/cycles/{Cycle.objects.get().id}/close").status_code == 403

    def test_a_dead_letter_leads_to_the_page_of_its_task(self, browser):
        deliver("tasks", [assigned(account="nobody")])
        letter = DeadLetter.objects.get()
        soup = page(browser("finance"), f"/dead-letters/{letter.pk}/")
        assert soup.select_one("dd a:has(code)")["href"] == f"/tasks/{task_id()}"

    def test_times_of_dead_letters_are_written_as_on_all_other_pages(self, browser):
        deliver("tasks", [assigned(account="nobody")])
        letter = DeadLetter.objects.get()
        for address in ("/dead-letters/", f"/dead-letters/{letter.pk}/"):
            shown = page(browser("finance"), address).select_one("main time")
            assert text(shown) == format_when(letter.received_at)
            assert shown["title"] == shown["datetime"] == in_zone(letter.received_at).isoformat()

    @pytest.mark.parametrize(("role", "status"), [("admin", 200), ("finance", 200), ("worker", 403), ("manager", 403)])
    def test_dead_letters_are_for_the_office_to_read(self, browser, role, status):
        assert browser(role).get("/dead-letters/").status_code == status

    def test_an_unknown_worker_day_or_cycle_is_not_found(self, browser):
        client = browser("admin")
        for address in (f"/workers/{uuid4()}", "/days/2026-02-30", f"/cycles/{uuid4()}"):
            assert client.get(address).status_code == 404

    @pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "3000-01-01", "9999-12-31"])
    def test_a_day_of_another_age_is_not_found_and_has_no_entries(self, browser, day):
        client = browser("admin")
        assert [client.get(f"/days/{day}{end}").status_code for end in ("", "/export")] == [404, 404]
        assert client.get(f"/statement?day={day}").status_code == 200

    @pytest.mark.parametrize("day", ["2000-01-01", "2999-12-31"])
    def test_the_first_and_the_last_day_are_pages_and_lead_to_pages_only(self, browser, day):
        client = browser("admin")
        links = page(client, f"/days/{day}").select("[rel=prev], [rel=next]")
        assert [client.get(link["href"]).status_code for link in links] == [200]
