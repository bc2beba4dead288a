"""An export as a browser gets it: through the view and its permission, read row by row and thrown away."""

import resource
import sys
from importlib import import_module
from time import perf_counter

from django.test import Client

from bench.inside.pages import sign_in
from bench.inside.tools import admin
from chassis.wsgi import make_application

MIB = 1024 if sys.platform == "linux" else 1024 * 1024


def measure(*, service: str, few: int, rows: int) -> dict[str, float]:
    """Rows, seconds, seconds to the first, and MiB that the process's peak grew by after an export of `few` rows."""
    make_application()
    site = import_module(f"bench.inside.sites.{service}")
    with admin(service) as database:
        place = site.exported(database, few)
        browser = sign_in("admin")
        _export(browser, place, few)
        before = _peak()
        place = site.exported(database, rows)
        browser = sign_in("admin")
        first, taken = _export(browser, place, rows)
    return {"rows": rows, "seconds": taken, "first": first, "growth": (_peak() - before) / MIB}


def _export(browser: Client, place: str, rows: int) -> tuple[float, float]:
    """Seconds to the first row and to the last. RuntimeError if they are not as many as they should be."""
    started = perf_counter()
    answer = browser.get(place)
    first, lines = 0.0, -1  # the heading is none
    for chunk in answer.streaming_content:  # type: ignore[attr-defined]
        lines += chunk.count(b"\r\n")
        first = first or (perf_counter() - started if lines else 0.0)
    if answer.status_code != 200 or lines != rows:
        raise RuntimeError(f"{place}: {answer.status_code} with {lines} rows")
    return first, perf_counter() - started


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
