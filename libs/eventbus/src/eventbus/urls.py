"""Pages of the bus, for a service to mount: `path("dead-letters/", include(eventbus.urls.dead_letters(...)))`."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path

from eventbus import views

Decorator = Callable[[Any], Any]


def everybody(_: HttpRequest) -> bool:
    """Who reads may also act."""
    return True


def dead_letters(
    *, read: Decorator, act: Decorator, may_act: Callable[[HttpRequest], bool] = everybody
) -> tuple[list[URLPattern], str]:
    """List and detail behind the decorator `read`, retry and discard behind `act`; URL names in `dead_letters:`.

    `may_act` says to whom retry and discard are offered, where some may only read.
    """
    patterns = [
        path("", read(views.letter_list), name="list"),
        path("<int:pk>/", read(views.letter_detail), {"may_act": may_act}, name="detail"),
        path("<int:pk>/retry/", act(views.letter_retry), name="retry"),
        path("<int:pk>/discard/", act(views.letter_discard), name="discard"),
    ]
    return patterns, "dead_letters"
