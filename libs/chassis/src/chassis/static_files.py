"""Static files: one style sheet and one script for all pages, under names with a hash once `collectstatic` has run."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

STATIC = Path(__file__).parent / "static"
# What a page loads, and the files it is joined from, in this order. The sources stay as they are, licences beside them.
JOINED = {
    "chassis/all.css": ("chassis/vendor/bootstrap.min.css", "chassis/app.css"),
    "chassis/all.js": ("chassis/theme.js", "chassis/vendor/htmx.min.js", "chassis/app.js"),
    "chassis/chart.js": ("chassis/vendor/chart.umd.min.js", "chassis/charts.js"),
}


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Plain names while there is no manifest: a checkout and its tests need no build step.

    With a manifest a name that it lacks is an error, so that a forgotten `collectstatic` shows at once.
    """

    def stored_name(self, name: str) -> str:
        """The name under which the file is served."""
        if not self.hashed_files:
            return name
        stored: str = super().stored_name(name)
        return stored


class JoinedFinder(BaseFinder):
    """Finds the joined files for `collectstatic`, and for a service that runs from its sources."""

    def __init__(self, app_names: Iterable[str] | None = None) -> None:
        self.storage = FileSystemStorage(settings.STATIC_JOINED_ROOT)

    def check(self, **_kwargs: Any) -> list[Any]:
        """Nothing can be set wrongly."""
        return []

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        """Where a joined file is, made of its sources as they are now."""
        if path not in JOINED:
            return [] if find_all else None
        found = self._made(path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """All joined files."""
        for name in JOINED:
            self._made(name)
            yield name, self.storage

    def _made(self, name: str) -> str:
        place = Path(self.storage.path(name))
        text = joined(name)
        if not (place.exists() and place.read_text() == text):
            place.parent.mkdir(parents=True, exist_ok=True)
            # Several processes of a service start at once, and none may serve half a file.
            half = place.with_name(f"{place.name}.{os.getpid()}")
            half.write_text(text)
            half.replace(place)
        return str(place)


def joined(name: str) -> str:
    """The text of a joined file; each part is headed by the name of its source."""
    end = ";\n" if name.endswith(".js") else "\n"
    return "".join(f"/* {source} */\n{(STATIC / source).read_text()}{end}" for source in JOINED[name])
