"""What nobody foresaw is a line of the log, too."""

import json
import os
import subprocess
import sys
from pathlib import Path

START = "import django, sys, threading; sys.path.append({tests!r}); django.setup()\n"
FAIL = "def fail(): raise ValueError('for wilma@example.test')\n"


def lines_of(code: str) -> list[dict[str, str]]:
    start = START.format(tests=str(Path(__file__).parent))
    environment = os.environ | {"LOG_FORMAT": "json", "DJANGO_SETTINGS_MODULE": "sample.settings"}
    ended = subprocess.run(
        [sys.executable, "-c", start + FAIL + code], env=environment, capture_output=True, text=True, check=False
    )
    return [json.loads(line) for line in ended.stderr.splitlines()]


def test_an_uncaught_exception_is_one_line_without_addresses():
    (line,) = lines_of("fail()")
    assert (line["event"], line["level"], line["service"]) == ("uncaught", "critical", "tasks")
    assert "ValueError: for …@…" in line["exception"]


def test_so_is_the_one_of_a_thread():
    (line,) = lines_of("threading.Thread(target=fail).start()")
    assert (line["event"], line["level"]) == ("uncaught", "critical")
    assert "ValueError" in line["exception"]
