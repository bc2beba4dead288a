"""Sign-ins under way. Each has a short session of its own, found by a cookie of its own.

Tabs that are opened together send their requests before any of them has an answer: were it all in the browser's one
session, each answer would replace the session of the one before, and with it that tab's state.
"""

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from social_django.strategy import create_session

KEPT = 20  # sign-ins begun in one browser and not ended; the cookies of older ones are dropped
SECONDS = 1800  # as long as social-auth takes an answer
NEXT = "identity_next"


def pending_new(target: str) -> SessionBase:
    """A sign-in that wants to go to `target`; not saved yet."""
    session = create_session()
    session.set_expiry(SECONDS)
    session[NEXT] = target
    return session


def pending_keep(request: HttpRequest, response: HttpResponse, *, state: str, session: SessionBase) -> None:
    """Saves the sign-in and binds it to this browser. Verifier and nonce stay here: the cookie is a key."""
    begun = [name for name in request.COOKIES if name.startswith(_cookie(""))]
    for name in begun[: max(len(begun) - KEPT + 1, 0)]:  # browsers send the oldest first
        response.delete_cookie(name)
    session.save()
    response.set_cookie(
        _cookie(state),
        session.session_key or "",
        max_age=SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def pending_find(request: HttpRequest, *, state: str) -> SessionBase:
    """The sign-in with this state that the browser began, or an empty one: social-auth refuses that."""
    return create_session(request.COOKIES.get(_cookie(state)) if state else None)


def pending_end(request: HttpRequest, response: HttpResponse, *, state: str, session: SessionBase) -> None:
    """An answer is taken once."""
    if state and _cookie(state) in request.COOKIES:
        response.delete_cookie(_cookie(state))
        if NEXT in session:
            session.delete()


def _cookie(state: str) -> str:
    return f"{settings.SESSION_COOKIE_NAME}_sign_in_{state}"
