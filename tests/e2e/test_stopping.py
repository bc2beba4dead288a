"""A deployment stops processes while people work: what is under way is finished."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from driver import Driver, eventually
from people import Person

from dev.system import answers

PersonMaker = Callable[..., Person]
BODY = b"grant_type=authorization_code&code=unknown"


def is_silent(driver: Driver) -> bool:
    """Whether auth's pages take nobody new; what is in flight has at least four more seconds in every installation."""
    try:
        with urllib.request.urlopen(f"{driver.url('auth')}/livez", timeout=1):
            return False
    except OSError:
        return True


def test_a_request_in_flight_is_answered_while_the_pages_stop(driver: Driver) -> None:
    address = urlsplit(driver.url("auth"))
    assert address.hostname
    head = f"POST /oauth/token/ HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(BODY)}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
    stopping = threading.Thread(target=driver.stop_service, args=("auth",))
    with socket.create_connection((address.hostname, address.port or 80), timeout=20) as slow:
        slow.sendall(head.encode() + BODY[:10])
        # The pages have read the beginning by the time that they answer somebody who came later.
        assert answers(f"{driver.url('auth')}/livez")
        stopping.start()
        try:
            eventually(lambda: is_silent(driver))
            slow.sendall(BODY[10:])
            answer = slow.makefile("rb").readline()
        finally:
            stopping.join()
            driver.start_service("auth")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))


def test_relays_and_consumers_that_stop_at_work_lose_nothing(driver: Driver, person: PersonMaker) -> None:
    manager, otto = person("manager"), person("otto")
    titles = [f"While processes change {number}" for number in range(4)]
    for title in titles:
        restarting = threading.Thread(target=driver.restart_workers, args=("billing",))
        restarting.start()
        manager.create_task(title, assignee="Otto Okafor")
        otto.complete(title)
        restarting.join()
    otto.sees("billing", "/statement", *titles, within=60_000)
    for title in titles:
        eventually(lambda title=title: len(otto.entries(title)) == 2)
    eventually(driver.ledger_is_complete)
