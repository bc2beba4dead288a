"""What a person takes along from a page, and what is in it."""

from __future__ import annotations

import csv
import io
from typing import Any

from openpyxl import load_workbook
from people import Person


def taken_along(someone: Person, address: str) -> bytes:
    """What a link of an export downloads."""
    answer = someone.context.request.get(address)
    assert answer.status == 200, (address, answer.status)
    assert "attachment" in answer.headers["content-disposition"]
    return answer.body()


def in_csv(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def in_xlsx(content: bytes) -> list[tuple[Any, ...]]:
    book = load_workbook(io.BytesIO(content), read_only=True)
    return list(book["Rows"].iter_rows(min_row=2, values_only=True))


def exports_on(someone: Person, service: str, path: str) -> list[str]:
    page = someone.open(service, path)
    links = page.locator("a.menu-item[href*='format=csv']")
    return [str(link.evaluate("link => link.href")) for link in links.all()]


def income_by_day(someone: Person, service: str) -> dict[str, str]:
    """Management's income, day by day, as the first export of a service's first page has it."""
    link = next(link for link in exports_on(someone, service, "/") if "/tasks/" not in link)
    rows = in_csv(taken_along(someone, link))
    income = next(column for column in rows[0] if "income" in column.lower())
    return {row["Day"]: row[income] for row in rows}
