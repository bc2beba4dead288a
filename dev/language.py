"""For tests: pages in another language, which shows that a text can be translated at all."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polib  # type: ignore[import-untyped]
from django.utils import translation

LANGUAGE = "de"


@contextmanager
def speaking(texts: Mapping[str, str], *, folder: Path, settings: Any) -> Iterator[None]:
    """What is done inside says each of these texts as its translation; `settings` is pytest-django's, which forgets
    what was read of other catalogues."""
    file = folder / LANGUAGE / "LC_MESSAGES" / "django.mo"
    file.parent.mkdir(parents=True)
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalogue.extend(polib.POEntry(msgid=source, msgstr=text) for source, text in texts.items())
    catalogue.save_as_mofile(str(file))
    settings.LOCALE_PATHS = [folder]
    with translation.override(LANGUAGE):
        yield
