"""Exports opened again, in tests."""

import csv
import io
from uuid import uuid4

import pytest
from openpyxl import load_workbook

from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_post
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import BORIS, MONDAY, WILMA, assigned, completed, task_id

TASK = task_id()
REASON = "=1+1 is what the cage cost."


@pytest.fixture
def auditor(browser, worked):
    """Someone who looks at a month with a closed cycle, a late event, a debt and a correction."""
    client = browser("finance")
    given = {"account_id": WILMA, "actor_id": client.account.id, "now": MONDAY, "reason": REASON}
    adjustment_post(form_key=uuid4(), amount=1250, credit=True, about=None, task_id=TASK, **given)
    close()
    now = database_now()
    deliver("tasks", [completed(no=2), assigned(task_id(3), time=now), assigned(task_id(4), account=BORIS, time=now)])
    return client


def with_format(address, name):
    return f"{address}{'&' if '?' in address else '?'}format={name}"


def as_csv(client, address):
    response = client.get(with_format(address, "csv"))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content)
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def as_xlsx(client, address):
    response = client.get(with_format(address, "xlsx"))
    book = load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    head, *body = book["Rows"].iter_rows(values_only=True)
    about = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    return about, [dict(zip(head, row, strict=True)) for row in body]
