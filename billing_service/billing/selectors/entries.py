"""One entry, and the entries that it is linked with."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billing.models import Transfer
from billing.selectors.statements import Line, lines

MOST_CORRECTIONS = 50


@dataclass(frozen=True, slots=True)
class Links:
    """An entry and its relatives: what it takes back, what took it back, what it is about, what is about it."""

    line: Line
    original: Line | None
    opposite: Line | None
    subject: Line | None
    corrections: list[Line]


def entry_with_links(entry_id: UUID) -> Links | None:
    """The entry, or nothing if the journal has none of this id."""
    entry = Transfer.objects.filter(id=entry_id).first()
    if entry is None:
        return None
    opposite = Transfer.objects.filter(reverses=entry.id).first()
    about = list(Transfer.objects.filter(about=entry.id).order_by("recorded_at", "id")[:MOST_CORRECTIONS])
    named = Transfer.objects.in_bulk({id_ for id_ in (entry.reverses, entry.about) if id_})
    relatives = [entry, *([opposite] if opposite else []), *about, *named.values()]
    found = {line.entry.id: line for line in lines(relatives)}
    return Links(
        line=found[entry.id],
        original=found.get(entry.reverses) if entry.reverses else None,
        opposite=found[opposite.id] if opposite else None,
        subject=found.get(entry.about) if entry.about else None,
        corrections=[found[row.id] for row in about],
    )
