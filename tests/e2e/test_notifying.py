"""Workers are told of a reassignment: by one mail each, and by SMS and Slack where they have confirmed an address."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import unquote

from driver import Driver, eventually
from people import Person
from playwright.sync_api import expect

PersonMaker = Callable[..., Person]
NUMBER, MEMBER = "/sms/+4915123456789", "/slack/U024BE7LH"
# Assignments within a minute are one message. The test does not wait for it: what waits becomes a minute older, and
# celery's job does with it what it always does.
A_MINUTE_PASSES = """
from datetime import timedelta
from django.db.models import F
from tasks.models import Delivery, Notification
pending = Notification.objects.filter(composed_at=None)
pending.update(at=F("at") - timedelta(seconds=61))
print(pending.count() + Delivery.objects.filter(done_at=None, next_attempt_at__isnull=False).count())
"""


def test_each_worker_gets_one_mail_for_a_reassignment_and_one_sms_and_slack_message_where_confirmed(
    driver: Driver, person: PersonMaker
) -> None:
    wilma, manager = person("worker"), person("manager")
    confirm(wilma, "SMS", "Phone number", "+49 (151) 2345-6789", NUMBER)
    confirm(wilma, "Slack", "Slack member ID", "u024be7lh", MEMBER)
    emails = emails_of_workers(person("admin"))
    for number in range(4):
        manager.create_task(f"Count the feathers {number}", assignee="Wilma Weber")

    share = 0
    while not share:  # each task is drawn on its own: somebody may get none
        everybody_is_told(driver)
        mails, posts = len(driver.mailbox()), len(driver.posts())
        after = reassigned(manager)
        everybody_is_told(driver)
        told = [mail for mail in driver.mailbox()[mails:] if not mail["Subject"].startswith("You were paid")]
        assert Counter(mail["To"] for mail in told) == {emails[name]: 1 for name, count in after.items() if count}
        for mail in told:
            name = next(name for name, email in emails.items() if email == mail["To"])
            assert mail["Subject"].startswith(subject(after[name]))
        share = after["Wilma Weber"]
        arrived = [(unquote(address), body["title"]) for address, body in driver.posts()[posts:]]
        assert [address for address, _ in sorted(arrived)] == ([MEMBER, NUMBER] if share else [])
        assert all(title.startswith(subject(share)) for _, title in arrived)

    wilma.sees("tasks", "/notifications", "SMS", "Slack", "E-mail")
    rows = wilma.page.get_by_role("row").filter(has_text=subject(share))
    assert {row.inner_text().count("sent") for row in rows.all()[:3]} == {1}


def confirm(someone: Person, channel: str, field: str, typed: str, address: str) -> None:
    """Type an own address, wait for the code that is sent to it, and enter it."""
    page = someone.open("tasks", "/notifications")
    card = page.get_by_role("region", name=channel)
    card.get_by_label(field).fill(typed)
    card.get_by_role("button", name="Send me a code").click()
    expect(card.get_by_label("Code")).to_be_visible()
    message = eventually(
        lambda: next((body["message"] for sent_to, body in someone.driver.posts() if unquote(sent_to) == address), "")
    )
    card.get_by_label("Code").fill(re.findall(r"\b\d{6}\b", message)[0])
    card.get_by_role("button", name="Confirm").click()
    expect(card.get_by_text("on", exact=True)).to_be_visible()


def everybody_is_told(driver: Driver) -> None:
    """Until nobody waits for a message of an assignment that was made before."""
    eventually(lambda: driver.manage("tasks", "shell", "-v", "0", "-c", A_MINUTE_PASSES).split()[-1] == "0", within=60)


def reassigned(manager: Person) -> dict[str, int]:
    """Reassign all open tasks; returns the tasks of each worker afterwards, as the page shows them."""
    manager.reassign()
    rows = manager.page.locator("main tbody tr").all()
    return {row.locator("th").inner_text(): int(row.locator("td").nth(1).inner_text()) for row in rows}


def emails_of_workers(admin: Person) -> dict[str, str]:
    page = admin.open("auth", "/?role=worker")
    rows = page.locator("main tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in rows}


def subject(count: int) -> str:
    return "New task: " if count == 1 else f"{count} new tasks for you"
