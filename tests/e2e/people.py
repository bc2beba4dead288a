"""A person in front of a browser: what they see and press, by the words on the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, Locator, Page, expect

from dev.pytest_browser import watch

if TYPE_CHECKING:
    from driver import Driver

OF_THIS_MACHINE = ("http://127.0.0.1:", "https://127.0.0.1:", "data:", "about:", "blob:")
SLOW = 20_000  # milliseconds that an effect in another service may take before a test gives up


class Person:
    """One demo account in a browser window of its own; cookies are shared with nobody."""

    def __init__(self, name: str, driver: Driver, browser: Browser) -> None:
        self.email = f"{name}@popug.example"
        self.driver = driver
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.reported: list[str] = []
        self.context.on("page", lambda page: watch(page, self.reported, OF_THIS_MACHINE))
        self.page: Page = self.context.new_page()

    def close(self) -> None:
        self.context.close()

    def open(self, service: str, path: str = "/") -> Page:
        """Type an address; returns the page."""
        self.page.goto(self.driver.url(service) + path)
        return self.page

    def status(self, service: str, path: str) -> int:
        """The HTTP status of the page that an address ends on."""
        response = self.page.goto(self.driver.url(service) + path)
        assert response is not None
        return response.status

    def sign_in(self, service: str = "tasks", password: str | None = None) -> None:
        """Open a service, be sent to auth, type e-mail and password, and be back."""
        self.open(service)
        self.fill_in_sign_in(password)
        self.page.wait_for_url(self.driver.url(service) + "/**")

    def fill_in_sign_in(self, password: str | None = None) -> None:
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password", exact=True).fill(password or self.driver.password(self.email))
        self.page.get_by_role("button", name="Sign in").click()

    def sign_out(self) -> None:
        self.page.locator("header details.menu summary").click()
        self.page.get_by_role("button", name="Sign out").click()

    def is_asked_to_sign_in(self, service: str, path: str = "/") -> bool:
        """Whether an address leads to auth's sign-in page."""
        self.open(service, path)
        return self.page.url.startswith(self.driver.url("auth")) and self.page.get_by_label("E-mail").is_visible()

    # Tasks

    def create_task(self, title: str, *, assignee: str) -> str:
        """Fill in the form for a new task and pick the worker, as managers and admins may; returns the task's id."""
        self.open("tasks", "/tasks/new")
        self.page.get_by_label("Title").fill(title)
        self.page.get_by_label("Assignee").select_option(label=assignee)
        self.page.get_by_role("button", name="Create task").click()
        self.page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}$"))
        return self.page.url.rsplit("/", 1)[1]

    def add_task(self, title: str) -> None:
        """Type a title into the line above the list."""
        self.open("tasks")
        self.page.get_by_label("New task").fill(title)
        self.page.get_by_role("button", name="Add task").click()
        expect(self.page.get_by_text("Added, and")).to_be_visible()

    def task_row(self, title: str) -> Locator:
        """The row of the task with exactly this title: others may begin alike."""
        return self.page.get_by_role("row").filter(has=self.page.get_by_role("link", name=title, exact=True))

    def complete(self, title: str) -> None:
        """Press Done on the row of one's own task."""
        self.open("tasks")
        self.task_row(title).get_by_role("button", name="Done").click()
        expect(self.task_row(title).get_by_role("button", name="Undo")).to_be_visible()

    def reassign(self) -> str:
        """Draw all open tasks anew, also where somebody just did; returns the address of the run."""
        self.open("tasks", "/reassignments/new")
        again = self.page.get_by_role("checkbox", name="Once more")
        if again.is_visible():
            again.check()
        self.page.get_by_role("button", name="Reassign").click()
        self.page.wait_for_url(re.compile(r"/reassignments/[0-9a-f-]{36}$"))
        return self.page.url

    def price(self, task_id: str) -> tuple[str, str]:
        """Fee and reward on the task's page, once they are there."""
        self.open("tasks", f"/tasks/{task_id}")
        fee = self.page.locator(f"#fee-{task_id}")
        reward = self.page.locator(f"#reward-{task_id}")
        expect(fee).to_contain_text("$", timeout=SLOW)
        expect(reward).to_contain_text("$", timeout=SLOW)
        return fee.inner_text().strip(), reward.inner_text().strip()

    # What arrives from elsewhere is looked at again and again, as an impatient person reloads.

    def sees(self, service: str, path: str, *texts: str, within: int = SLOW) -> None:
        """Reload an address until all texts are on the page; milliseconds."""
        for left in range(within // 500, -1, -1):
            self.open(service, path)
            content = self.page.locator("main").inner_text()
            missing = [text for text in texts if text not in content]
            if not missing:
                return
            if left:
                self.page.wait_for_timeout(500)
        raise AssertionError(f"{service}{path} never showed {missing}; it shows:\n{content}")

    def balance(self) -> Locator:
        """The balance on the open statement."""
        return self.page.locator(".fact", has=self.page.get_by_text("Balance", exact=True)).locator(".fact-value")

    def entries(self, task: str) -> list[str]:
        """Rows of the statement that name a task, as text."""
        self.open("billing", "/statement")
        rows = self.page.get_by_role("row").filter(has_text=task)
        return [row.inner_text() for row in rows.all()]


def change_role(admin: Person, name: str, *roles: str) -> None:
    """Give somebody the first of the roles that they do not have now."""
    page = admin.open("auth", f"/?q={name.split(maxsplit=1)[0]}")
    page.get_by_role("link", name=name).click()
    field = page.get_by_label("Role")
    field.select_option(next(role for role in roles if role != field.input_value()))
    page.get_by_role("button", name="Change role").click()
    expect(page.get_by_text("The role is changed")).to_be_visible()
