"""People at work while an installation changes under them: so many requests a second, each of them counted."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests
from bs4 import BeautifulSoup

TIMEOUT = 30
# What a round is made of: somebody makes a task, signs in to tasks by the session at auth, looks at pages; most are
# strangers, who are sent to sign in.
PER_ROUND = {"task": 1, "sign in": 1, "page": 4, "stranger": 40}


class Load:
    """Requests at a steady rate from start to stop; `failed` holds what went wrong.

    Each is on a connection of its own, but those of a sign-in, which come back on the one they left, as in a browser.
    """

    def __init__(self, urls: dict[str, str], cookies: dict[str, str], *, a_second: int = 50) -> None:
        self._urls = urls
        self._at_auth = cookies["auth_session"]
        self._cookies = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._interval = 1 / a_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._numbers = itertools.count(1)
        self.failed: list[str] = []
        self.counts: Counter[str] = Counter()
        self.slowest = 0.0

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        kinds = [kind for kind, times in PER_ROUND.items() for _ in range(times)]
        actions: dict[str, Callable[[str], None]] = {
            "task": self._task,
            "sign in": self._sign_in,
            "page": self._page,
            "stranger": self._stranger,
        }
        due = time.monotonic()
        with ThreadPoolExecutor(max_workers=64) as pool:
            for kind, service in zip(itertools.cycle(kinds), itertools.cycle(self._urls), strict=False):
                due += self._interval
                if self._stop.wait(max(0, due - time.monotonic())):
                    return
                pool.submit(self._try, actions[kind], service)

    def _try(self, action: Callable[[str], None], service: str) -> None:
        try:
            action(service)
        except (requests.RequestException, AssertionError) as error:
            self.failed.append(f"{time.strftime('%T')} {action.__name__.strip('_')} {service}: {error}")

    def _stranger(self, service: str) -> None:
        assert self._ask("GET", f"{self._urls[service]}/").status_code in {200, 302}

    def _page(self, service: str) -> None:
        path = {"auth": "/profile", "billing": "/statement"}.get(service, "/")
        answer = self._ask("GET", f"{self._urls[service]}{path}", signed_in=True)
        assert answer.status_code == 200, answer.status_code

    def _sign_in(self, _service: str) -> None:
        """From tasks to auth, which knows the browser, and back with a code, which tasks exchanges with its secret."""
        with requests.Session() as browser:
            browser.cookies.set("auth_session", self._at_auth)
            answer = browser.get(f"{self._urls['tasks']}/login", timeout=TIMEOUT)
        self.counts["requests"] += len(answer.history) + 1
        assert answer.status_code == 200, answer.status_code
        assert answer.url.startswith(self._urls["tasks"]), answer.url
        self.counts["sign-ins"] += 1

    def _task(self, _service: str) -> None:
        address = f"{self._urls['tasks']}/tasks/new"
        page = self._ask("GET", address, signed_in=True)
        assert page.status_code == 200, page.status_code
        form = BeautifulSoup(page.text, "html.parser").select_one("main form[method=post]")
        assert form, "no form"
        fields = {str(found["name"]): str(found.get("value", "")) for found in form.select("input[name]")}
        fields["title"] = f"While it changes {next(self._numbers)}"
        answer = self._ask("POST", address, signed_in=True, data=fields)
        assert answer.status_code == 302, answer.status_code
        self.counts["tasks made"] += 1

    def _ask(
        self, method: str, url: str, *, signed_in: bool = False, data: dict[str, str] | None = None
    ) -> requests.Response:
        headers = {"Connection": "close", "Referer": url} | ({"Cookie": self._cookies} if signed_in else {})
        began = time.monotonic()
        answer = requests.request(method, url, headers=headers, data=data, timeout=TIMEOUT, allow_redirects=False)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.counts["requests"] += 1
        assert answer.status_code < 500, answer.status_code
        return answer
