"""The shop's pages: everybody with a name reads, only the chief acts."""

from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.urls import include, path

from eventbus.urls import Around, dead_letters


def only(*names: str) -> Callable:
    """A decorator as services have them; the name comes in a header."""

    def decorator(view: Callable) -> Callable:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: int) -> HttpResponse:
            name = request.headers.get("X-Name", "")
            if names and name not in names:
                return HttpResponseForbidden()
            request.user = SimpleNamespace(pk=name, is_authenticated=bool(name))
            return view(request, **kwargs)

        return guarded

    return decorator


def is_chief(request: HttpRequest) -> bool:
    """Whether it is the chief who asks."""
    return request.user.pk == "chief"


def no_shouting(reason: str) -> None:
    """The shop's own idea of a reason."""
    if reason.isupper():
        raise ValidationError("Say it quietly.")


AROUND = Around(
    may_act=is_chief,
    page_of=lambda letter: f"/of/{letter.about}" if letter.topic == "payments" else "",
    name_of=lambda name: f"the {name}",
    check_reason=no_shouting,
)
urlpatterns = [
    path("dead-letters/", include(dead_letters(read=only("chief", "clerk"), act=only("chief", ""), around=AROUND))),
]
