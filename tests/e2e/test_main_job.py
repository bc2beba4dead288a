"""The main job, by hand: create, complete, be paid, reassign, close the day."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from driver import Driver, eventually
from people import SLOW, Person
from playwright.sync_api import expect

PersonMaker = Callable[..., Person]


def test_a_completed_task_shows_its_fee_and_reward_everywhere(driver: Driver, person: PersonMaker) -> None:
    manager, wilma = person("manager"), person("worker")
    task = manager.create_task("[popug-1] - Wash the big cage", assignee="Wilma Weber")
    fee, reward = manager.price(task)
    assert 10 <= float(fee.strip("$")) <= 20
    assert 20 <= float(reward.strip("$")) <= 40

    wilma.complete("Wash the big cage")
    wilma.sees("billing", "/statement", "Wash the big cage", f"-{fee}", f"+{reward}")
    assert len(wilma.entries("Wash the big cage")) == 2

    finance = person("finance")
    finance.sees("billing", "/", "Management's income")
    admin = person("admin")
    admin.sees("analytics", "/", "Wash the big cage", reward)


def test_a_worker_adds_a_task_with_one_line(person: PersonMaker) -> None:
    wilma = person("worker")
    wilma.add_task("[POPUG-2] Polish the bell")
    wilma.open("tasks", "/?show=open")
    expect(wilma.task_row("Polish the bell")).to_be_visible()
    expect(wilma.task_row("Polish the bell").get_by_text("POPUG-2")).to_be_visible()


def test_done_undone_and_done_again_is_paid_once(driver: Driver, person: PersonMaker) -> None:
    manager, wilma = person("manager"), person("worker")
    fee, reward = manager.price(manager.create_task("Change the water", assignee="Wilma Weber"))
    wilma.complete("Change the water")
    row = wilma.task_row("Change the water")
    row.get_by_role("button", name="Undo").click()
    row.get_by_role("button", name="Done").click()
    expect(row.get_by_role("button", name="Undo")).to_be_visible()

    eventually(lambda: len(wilma.entries("Change the water")) == 4)
    amounts = [re.findall(r"[+-]\$[0-9.]+", entry)[0] for entry in wilma.entries("Change the water")]
    assert sorted(amounts) == sorted([f"-{fee}", f"+{reward}", f"-{reward}", f"+{reward}"])
    eventually(driver.ledger_is_complete)


def test_a_form_sent_twice_creates_one_task(person: PersonMaker) -> None:
    manager = person("manager")
    manager.open("tasks", "/tasks/new")
    manager.page.get_by_label("Title").fill("Only once")
    form = manager.page.locator("main form").evaluate(
        "form => Object.fromEntries(new FormData(form, form.querySelector('button')))"
    )
    address = manager.driver.url("tasks") + "/tasks/new"
    answers = [manager.context.request.post(address, form=form, headers={"Referer": address}) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].url == answers[1].url
    manager.open("tasks", "/?show=open")
    assert manager.task_row("Only once").count() == 1


def test_a_manager_reassigns_everything_and_each_new_assignment_is_charged(driver: Driver, person: PersonMaker) -> None:
    manager = person("manager")
    task = manager.create_task("Sort the seeds", assignee="Wilma Weber")
    manager.price(task)
    manager.open("tasks", "/reassignments/new")
    open_tasks = int(manager.page.locator("#task-count").inner_text())
    assert open_tasks >= 1
    manager.reassign()
    after = [int(text) for text in manager.page.locator("main tbody tr td:nth-child(3)").all_inner_texts()]
    assert sum(after) == open_tasks

    manager.sees("tasks", f"/tasks/{task}", "all tasks were reassigned")
    eventually(driver.ledger_is_complete)


def test_closing_the_cycle_pays_the_balance_out_and_mails_the_amount(driver: Driver, person: PersonMaker) -> None:
    manager, otto = person("manager"), person("otto")
    balance = "-"
    # Rewards exceed fees, so some tasks bring everybody above zero, whatever a reassignment charged before.
    for title in (f"Mend perch number {number}" for number in range(100, 120)):
        task = manager.create_task(title, assignee="Otto Okafor")
        manager.price(task)
        otto.complete(title)
        otto.sees("billing", "/statement", title)
        eventually(lambda title=title: len([row for row in otto.entries(title) if "+$" in row]) == 1)
        balance = otto.balance().inner_text()
        if float(balance.replace("$", "").replace(",", "")) > 0:
            break
    before = len(driver.mailbox())

    def paid() -> list[Any]:
        """Mails about the payout; others tell of the tasks."""
        mails = [mail for mail in driver.mailbox()[before:] if mail["To"] == "otto@popug.example"]
        return [mail for mail in mails if mail["Subject"].startswith("You were paid")]

    driver.close_cycle()

    otto.sees("billing", "/statement", "Payout")
    expect(otto.balance()).to_have_text("$0.00")
    mail = eventually(lambda: next(iter(paid()), None))
    assert balance in mail.get_body(("plain",)).get_content()
    driver.close_cycle()
    eventually(driver.ledger_is_complete, within=SLOW / 1000)
    assert len(paid()) == 1
