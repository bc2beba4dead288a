"""The one hole in the content security policy, of one response and for one place."""

from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse

from accounts.selectors import redirect_uris_of


def form_leads_to(response: HttpResponse, redirect_uri: str) -> None:
    """Lets the forms of this response lead on to the place of `redirect_uri`.

    Browsers apply `form-action` to the redirects after a form too: without this nobody gets back to an application
    that is not our own.
    """
    place = urlsplit(redirect_uri)
    if place.netloc:
        # What django-csp's decorator sets, which knows no address of one request.
        response._csp_update = {"form-action": [f"{place.scheme}://{place.netloc}"]}  # type: ignore[attr-defined]


def registered_redirect(target: str) -> str:
    """Where an authorization request (`target`, an address of auth) ends, if its client may go there; else nothing."""
    question = parse_qs(urlsplit(target).query)
    client_id, uri = question.get("client_id", [""])[0], question.get("redirect_uri", [""])[0]
    if not client_id or uri not in redirect_uris_of([client_id]).get(client_id, []):
        return ""
    return uri
