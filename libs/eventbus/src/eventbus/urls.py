"""Pages of the bus, for a service to mount: `path("dead-letters/", include(eventbus.urls.dead_letters(...)))`."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from eventbus import views
from eventbus.views import Around, Letter

__all__ = ["Around", "Letter", "dead_letters"]

Decorator = Callable[[Any], Any]


def dead_letters(*, read: Decorator, act: Decorator, around: Around | None = None) -> tuple[list[URLPattern], str]:
    """List, news and detail behind the decorator `read`, retry and discard behind `act`; names in `dead_letters:`."""
    known = {"around": around or Around()}
    patterns = [
        path("", read(views.letter_list), name="list"),
        path("news/", read(views.letter_news), name="news"),
        path("<int:pk>/", read(views.letter_detail), known, name="detail"),
        path("<int:pk>/retry/", act(views.letter_retry), name="retry"),
        path("<int:pk>/discard/", act(views.letter_discard), known, name="discard"),
    ]
    return patterns, "dead_letters"
