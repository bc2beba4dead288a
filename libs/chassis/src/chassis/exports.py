"""Exports: all rows of a filter as CSV or XLSX, streamed in constant memory and safe to open in a spreadsheet."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast

import structlog
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped]
from openpyxl.styles import Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]

from chassis.business_time import business_date, format_iso, in_zone
from chassis.errors import NotUnderstood

XLSX_ROWS = 100_000
BOM = "\ufeff"
_CHUNK_ROWS = 500
MONEY_FORMAT = "#,##0.00"
_WIDTH = 22  # of a spreadsheet's columns: a date or an amount that does not fit is shown as ####
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")

logger = structlog.get_logger(__name__)
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column: its header and how its value is read from a row.

    Values are text, whole numbers, Decimal, bool, date, aware datetime or None. An amount is `cents=True` with integer
    cents; behind the last one the currency, which is the same for all of them, has a column of its own.
    """

    label: str
    value: Callable[[Row], Any]
    cents: bool = False


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount among the totals: a number, with the currency in the cell behind it."""

    cents: int


class TooManyRows(Exception):
    """More rows than a spreadsheet takes well."""


def export_response(
    request: HttpRequest,
    *,
    name: str,
    columns: Sequence[Column[Row]],
    rows: Iterable[Row],
    totals: Callable[[], Sequence[tuple[str, Any]]],
    filters: str = "",
) -> HttpResponseBase:
    """The rows as `?format=csv` or `?format=xlsx`. The view's own right is the export's; each export is logged.

    Give `rows` as `queryset.iterator(chunk_size=…)`. `filters` is said in words and `totals`, which the menu promises,
    are named on the first sheet of an XLSX, never among the rows, and asked for only there; one of money is an
    `Amount`. Past 100,000 rows the answer to XLSX is a page that offers CSV. Raises NotUnderstood for another format.
    """
    kind = request.GET.get("format", "csv")
    account: Any = request.user
    now = timezone.now()
    logger.info("export", path=request.path, format=kind, account_id=str(account.pk))
    filename = f"{slugify(name)}-{business_date(now)}.{kind}"
    if kind == "csv":
        return StreamingHttpResponse(
            csv_chunks(columns, rows),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"},
        )
    if kind != "xlsx":
        raise NotUnderstood(_("There is no export “%(name)s”. Exports are: csv, xlsx.") % {"name": kind})
    about = [
        (_("Export"), name),
        (_("Filters"), filters or _("none")),
        (_("Time zone"), settings.BUSINESS_TIME_ZONE),
        (_("Made at"), format_iso(now)),
        (_("Made by"), account.name),
        *totals(),
    ]
    try:
        file = xlsx_file(columns, rows, about)
    except TooManyRows:
        return render(request, "chassis/too_many_rows.html", {"most": f"{XLSX_ROWS:,}"}, status=422)
    response = FileResponse(file, as_attachment=True, filename=filename)
    response.headers["Cache-Control"] = "no-store"
    return response


def csv_chunks(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> Iterator[bytes]:
    """UTF-8 with BOM, commas, a dot in numbers, ISO times in the business zone.

    The heading goes ahead: of a million rows the first may take the database seconds.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BOM)
    writer.writerow(_headers(columns))
    yield _drained(buffer)
    for number, row in enumerate(rows, start=1):
        writer.writerow([_csv_value(value) for value in _values(columns, row)])
        if number % _CHUNK_ROWS == 0:
            yield _drained(buffer)
    yield _drained(buffer)


def xlsx_file(
    columns: Sequence[Column[Row]], rows: Iterable[Row], about: Sequence[tuple[str, Any]]
) -> io.BufferedIOBase:
    """A workbook on disk, written row by row: a sheet that says what this is, then the rows as numbers and dates.

    Raises TooManyRows.
    """
    book = Workbook(write_only=True)
    first = _sheet(book, _("About"), width=2)
    for label, value in about:
        first.append([_bold(first, label), *_about_cells(first, value)])
    headers = _headers(columns)
    sheet = _sheet(book, _("Rows"), width=len(headers))
    sheet.freeze_panes = "A2"
    sheet.append([_bold(sheet, label) for label in headers])
    for number, row in enumerate(rows, start=1):
        if number > XLSX_ROWS:
            for begun in book.worksheets:
                begun.close()
            raise TooManyRows
        sheet.append([_xlsx_cell(sheet, value) for value in _values(columns, row)])
    file = tempfile.TemporaryFile()  # noqa: SIM115 the response closes it
    book.save(file)
    file.seek(0)
    return cast("io.BufferedIOBase", file)


def _drained(buffer: io.StringIO) -> bytes:
    chunk = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return chunk


def _headers(columns: Sequence[Column[Row]]) -> list[str]:
    return _with_currency(columns, [str(column.label) for column in columns], _("Currency"))


def _values(columns: Sequence[Column[Row]], row: Row) -> list[Any]:
    values = ((column, column.value(row)) for column in columns)
    cells = [Decimal(value) / 100 if column.cents and value is not None else value for column, value in values]
    return _with_currency(columns, cells, settings.CURRENCY)


def _with_currency(columns: Sequence[Column[Row]], cells: list[Any], currency: str) -> list[Any]:
    """A row with the currency behind its last amount: once, so that no two columns are called the same."""
    places = [place for place, column in enumerate(columns) if column.cents]
    return [*cells[: places[-1] + 1], currency, *cells[places[-1] + 1 :]] if places else cells


def safe_text(text: str) -> str:
    """Text that a spreadsheet will not run: one that begins like a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _csv_value(value: Any) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = _("yes") if value else _("no")
        case datetime():
            text = format_iso(value)
        case date():
            text = value.isoformat()
        case Decimal():
            text = f"{value:.2f}"
        case int():
            text = str(value)
        case _:
            text = safe_text(str(value))
    return text


def _xlsx_value(value: Any) -> Any:
    match value:
        case datetime():
            # A spreadsheet knows no zones: the business zone's clock time, as the first sheet says.
            return in_zone(value).replace(tzinfo=None)
        case None | bool() | int() | Decimal() | date():
            return value
    return safe_text(ILLEGAL_CHARACTERS_RE.sub("", str(value)))


def _xlsx_cell(sheet: Any, value: Any) -> Any:
    """The value, and for an amount its format: 12.5 is shown as 12.50."""
    if not isinstance(value, Decimal):
        return _xlsx_value(value)
    cell = WriteOnlyCell(sheet, value=value)
    cell.number_format = MONEY_FORMAT
    return cell


def _about_cells(sheet: Any, value: Any) -> list[Any]:
    if isinstance(value, Amount):
        return [_xlsx_cell(sheet, Decimal(value.cents) / 100), settings.CURRENCY]
    return [_xlsx_value(value)]


def _sheet(book: Workbook, title: str, *, width: int) -> Any:
    """A sheet with columns wide enough; a streamed one wants that said before its first row."""
    sheet = book.create_sheet(title)
    for number in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH
    return sheet


def _bold(sheet: Any, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell
