"""The browser's session, which may end while a request of it is answered."""

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest, HttpResponse

from chassis.permissions import sign_in_response


class SessionMiddleware(DjangoSessionMiddleware):
    """Django's, but who was signed out meanwhile (by a role change, or by the same form sent twice) is asked to sign
    in, and comes back: Django's own answer is a bad request."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            return sign_in_response(request)
