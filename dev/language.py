"""For tests: pages in another language, which shows that a text can be translated at all."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils import translation

LANGUAGE = "de"
_MAGIC, _HEAD = 0x950412DE, 28
_CHARSET = {"": "Content-Type: text/plain; charset=UTF-8\n"}


@contextmanager
def speaking(texts: Mapping[str, str], *, folder: Path, settings: Any) -> Iterator[None]:
    """What is done inside says each of these texts as its translation; `settings` is pytest-django's, which forgets
    what was read of other catalogues."""
    file = folder / LANGUAGE / "LC_MESSAGES" / "django.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(_catalogue(texts))
    settings.LOCALE_PATHS = [folder]
    with translation.override(LANGUAGE):
        yield


def _catalogue(texts: Mapping[str, str]) -> bytes:
    """The format of gettext's .mo: two tables of lengths and places, then the texts."""
    pairs = sorted((source.encode(), text.encode()) for source, text in (_CHARSET | dict(texts)).items())
    count, content, tables = len(pairs), b"", [b"", b""]
    start = _HEAD + 16 * count
    for place in (0, 1):
        for pair in pairs:
            tables[place] += struct.pack("<II", len(pair[place]), start + len(content))
            content += pair[place] + b"\0"
    head = struct.pack("<7I", _MAGIC, 0, count, _HEAD, _HEAD + 8 * count, 0, start)
    return head + tables[0] + tables[1] + content
