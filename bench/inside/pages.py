"""The time of list pages, as a signed-in person gets them: session, permission, queries, template."""

from importlib import import_module
from time import perf_counter

from django.test import Client

from bench.inside.sites import Page
from bench.inside.tools import admin
from chassis.replica.models import Account
from chassis.wsgi import make_application

WARM_UP = 5


def measure(*, service: str, sizes: list[int], requests: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each request: page -> number of rows -> times; set up as the web process is."""
    make_application()
    site = import_module(f"bench.inside.sites.{service}")
    found: dict[str, dict[str, list[float]]] = {}
    with admin(service) as database:
        for size in sizes:
            for pages in site.lists(database, size):
                for page in pages:
                    found.setdefault(page.name, {})[str(size)] = _times(page, requests)
        site.clear(database)
    return found


def _times(page: Page, requests: int) -> list[float]:
    browser = _browser(page.role)
    return [_time(browser, page) for _ in range(WARM_UP + requests)][WARM_UP:]


def _time(browser: Client, page: Page) -> float:
    started = perf_counter()
    answer = browser.get(page.address)
    taken = perf_counter() - started
    rows = answer.content.count(b"<tr")
    if answer.status_code != 200 or rows < page.rows:
        raise RuntimeError(f"{page.name}: {answer.status_code} with {rows} rows at {page.address}")
    return taken * 1000


def _browser(role: str) -> Client:
    """Somebody with the role, under a session as signing in begins it."""
    browser = Client()
    account = Account.objects.filter(role=role).order_by("id")[0]
    browser.force_login(account)
    session = browser.session
    session["identity_epoch"], session["identity_sid"] = account.session_epoch, "bench"
    session.save()
    return browser
