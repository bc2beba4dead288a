"""The time of list pages, as a signed-in person gets them: session, permission, queries, template.

Databases with few and with many rows are asked in turn, so that all of them meet the same disturbances.
"""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from time import perf_counter
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from psycopg import sql

from bench.inside.sites import Page
from bench.inside.tools import admin
from chassis.wsgi import make_application

WARM_UP = 5
Found = TypeVar("Found")


class House:
    """The service with a database of its own. Django's connections belong to threads: hence one for each house."""

    def __init__(self, service: str, database: str, size: int) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._database = admin(service, database)
        self.inside(lambda: _go_to(database))
        site = import_module(f"bench.inside.sites.{service}")
        self.sign_in: Callable[[str], Client] = getattr(site, "sign_in", sign_in)
        self._lists = site.lists(self._database, size)

    def inside(self, action: Callable[[], Found]) -> Found:
        """Do something on this house's database."""
        return self._thread.submit(action).result()

    def next_pages(self) -> list[Page]:
        """The pages that can be measured as the tables are filled now; none when all were."""
        return self.inside(lambda: next(self._lists, []))

    def close(self) -> None:
        """Let go of the database."""
        self.inside(_leave)
        self._thread.shutdown()
        self._database.close()


class Visit:
    """A page of a house and somebody who may see it."""

    def __init__(self, house: House, page: Page) -> None:
        self._house = house
        self._page = page
        self._browser = house.inside(lambda: house.sign_in(page.role))

    def time(self) -> float:
        """Milliseconds of one request. RuntimeError if it is not the page that was asked for."""
        return self._house.inside(self._ask)

    def _ask(self) -> float:
        started = perf_counter()
        answer = self._browser.get(self._page.address)
        taken = perf_counter() - started
        rows = answer.content.count(b"<tr")
        if answer.status_code != 200 or rows < self._page.rows:
            raise RuntimeError(f"{self._page}: {answer.status_code} with {rows} rows")
        return taken * 1000


def measure(*, service: str, sizes: list[int], requests: int) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each request: page -> number of rows -> times; in a process set up as the web process is."""
    make_application()
    found: dict[str, dict[str, list[float]]] = {}
    with ExitStack() as stack:
        names = [stack.enter_context(_copy_of(service, f"{service}_{size}")) for size in sizes]
        houses = [House(service, name, size) for name, size in zip(names, sizes, strict=True)]
        while all(pages := [house.next_pages() for house in houses]):
            for same in zip(*pages, strict=True):
                visits = [Visit(house, page) for house, page in zip(houses, same, strict=True)]
                found[same[0].name] = dict(zip(map(str, sizes), _times(visits, requests), strict=True))
        for house in houses:
            house.close()
    return found


def _times(visits: list[Visit], requests: int) -> list[list[float]]:
    """Milliseconds of each visit's requests, all of them once in each round.

    In another order each time: what happens after so many allocations, as collecting garbage, must not meet always the
    same of them.
    """
    times: list[list[float]] = [[] for _ in visits]
    chance = random.Random(0)
    for _ in range(WARM_UP + requests):
        for place in chance.sample(range(len(visits)), len(visits)):
            times[place].append(visits[place].time())
    return [its[WARM_UP:] for its in times]


@contextmanager
def _copy_of(service: str, name: str) -> Iterator[str]:
    """A copy of the service's empty database, for as long as it is needed."""
    copy, original = sql.Identifier(name), sql.Identifier(service)
    with admin(service, "postgres") as cluster:
        cluster.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, original))
        try:
            yield name
        finally:
            cluster.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))


def _go_to(database: str) -> None:
    connection.settings_dict = {**connection.settings_dict, "NAME": database}


def _leave() -> None:
    connection.close()


def sign_in(role: str) -> Client:
    """Somebody with the role, under a session as signing in begins it."""
    browser = Client()
    account = get_user_model()._default_manager.filter(role=role).order_by("id")[0]
    browser.force_login(account)
    session = browser.session
    session["identity_epoch"], session["identity_sid"] = account.session_epoch, "bench"  # type: ignore[attr-defined]
    session.save()
    return browser
