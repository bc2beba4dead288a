"""`make demo`: the product with thirty business days of history, until Ctrl-C."""

import functools
import json
import signal
import threading
from types import FrameType

from dev.paths import DEMO, LOCAL
from dev.reload import Reloader
from dev.seed import seed_history
from dev.system import System
from dev.tail import Tail

DESCRIPTION = LOCAL / "demo.json"
THINGS_TO_TRY = """\
Five things to try
  1. As Wilma, create tasks in Tasks, complete some, and look at My statement in Billing.
  2. As Max, reassign all open tasks, and see what it charged whom.
  3. A reward is missing: as Fatima, find in Billing why; as Ada, retry it under Dead letters there.
  4. Close the billing cycle now, and read the payout's mail:  make close
  5. Stop Kafka, go on working, start it again, and see that all arrives:  make stop p=kafka, make start p=kafka
Ctrl-C stops everything; the data stays. `make clean` forgets it.
"""


def run(days: int) -> None:
    """Bring the demo up, with `days` business days of history when it is new.

    Tell where it is, show what happens, and take it down at the end.
    """
    ending = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        if ending.is_set():
            return  # already on the way down: a second Ctrl-C must not leave something behind
        ending.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    system = System.for_demo()
    reloader = Reloader(system.supervisor)
    try:
        system.up(functools.partial(seed_history, days_before=days))
        describe(system)
        print(welcome(system), flush=True)
        reloader.start()
        follow(Tail(system), ending)
    except KeyboardInterrupt:
        print("\nStopping", flush=True)
    finally:
        ending.set()
        reloader.stop()
        system.down()


def follow(tail: Tail, ending: threading.Event) -> None:
    """Show what happens, until `ending`. The demo does not end because that cannot be shown."""
    try:
        for line in tail.lines(ending):
            print(line, flush=True)
    except Exception as error:
        print(f"What happens is not shown any more, all else goes on: {error}", flush=True)
        ending.wait()


def describe(system: System) -> None:
    """Write `.local/demo.json`: addresses and log-ins, for programs."""
    urls = system.urls | {"mail": system.url("mail")}
    accounts = [{key: account[key] for key in ("email", "password", "role")} for account in system.accounts]
    DESCRIPTION.touch(mode=0o600)
    DESCRIPTION.write_text(json.dumps({"urls": urls, "accounts": accounts}, indent=2) + "\n")


def welcome(system: System) -> str:
    """What a newcomer needs to know."""
    addresses = [f"  {name.capitalize():10} {url}" for name, url in system.urls.items()]
    people = [
        f"  {account['role']:8} {account['name']:14} {account['email']:24} {account['password']}"
        for account in system.accounts
    ]
    parts = ["", "Task Tracker is up. Open Tasks and sign in.", "", *addresses, f"  {'Mail':10} {system.url('mail')}"]
    return "\n".join([*parts, "", "Log-ins", *people, "", THINGS_TO_TRY, f"State and logs: {DEMO}", ""])
