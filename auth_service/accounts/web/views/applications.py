"""U3: the admins' pages of OAuth applications. Nobody else sees or registers one."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import selectors, services
from accounts.domain import ADMIN, Refused
from accounts.models import RelyingParty
from accounts.web.forms import ApplicationForm
from accounts.web.history import HISTORY_SORTS, told
from accounts.web.refusals import sentence
from accounts.web.secrets import secret_is_kept, secret_keep, secret_take
from chassis.form_keys import PRESSED_BEFORE, OneTimeForm, SentBefore
from chassis.permissions import requires
from chassis.tables import NoFilter, table_page, understood

SORTS = {"name": ("sorted_name", "id")}


@requires(ADMIN)
@require_GET
def application_list(request: HttpRequest) -> HttpResponse:
    understood(NoFilter(request.GET))
    page = table_page(request, selectors.applications(), sorts=SORTS, default="name")
    context = {"page": page, "rows": with_redirects(page.rows)}
    return render(request, "accounts/application_list.html", context)


@requires(ADMIN)
@require_GET
def application_changes(request: HttpRequest) -> HttpResponse:
    """What was changed of all applications, also of those that are gone."""
    return render(request, "accounts/application_changes.html", _history(request, None))


@requires(ADMIN)
@require_GET
def application_detail(request: HttpRequest, party_id: int) -> HttpResponse:
    party = get_object_or_404(RelyingParty, pk=party_id)
    context = _history(request, party_id) | {
        "party": party,
        "redirect_uris": with_redirects([party])[0][1],
        "people": selectors.people_with_consent(party.client_id),
    }
    return render(request, "accounts/application_detail.html", context)


@requires(ADMIN)
@require_http_methods(["GET", "POST"])
def application_new(request: HttpRequest) -> HttpResponse:
    form = ApplicationForm(request.POST or None)
    if form.is_valid():

        def effect() -> str:
            party, secret = services.application_create(**_data(request, form))
            return secret_keep(request, party.pk, secret)

        if answer := _once(request, form, "application", effect, _("The application is made.")):
            return answer
    return _form_page(request, form, None)


@requires(ADMIN)
@require_http_methods(["GET", "POST"])
def application_edit(request: HttpRequest, party_id: int) -> HttpResponse:
    party = get_object_or_404(RelyingParty, pk=party_id, is_own=False)
    here = resolve_url("application_detail", party_id=party_id)
    if request.method == "GET":
        initial = {
            "name": party.name,
            "redirect_uris": "\n".join(with_redirects([party])[0][1]),
            "backchannel_logout_uri": party.backchannel_logout_uri,
        }
        return _form_page(request, ApplicationForm(initial=initial), party)
    form = ApplicationForm(request.POST)
    if form.is_valid():

        def effect() -> str:
            services.application_update(party_id=party_id, **_data(request, form))
            return here

        def stands() -> bool:
            fields = selectors.application_fields(RelyingParty.objects.get(pk=party_id))
            said = form.cleaned_data
            return said["redirect_uris"] == fields["redirect_uris"].split() and all(
                said[name] == fields[name] for name in ("name", "backchannel_logout_uri")
            )

        if answer := _once(request, form, f"application:{party_id}", effect, _("Saved."), stands=stands):
            return answer
    return _form_page(request, form, party)


@requires(ADMIN)
@require_POST
def application_rotate(request: HttpRequest, party_id: int) -> HttpResponse:
    def effect() -> str:
        secret = services.application_secret_rotate(
            party_id=party_id, actor_id=str(request.user.pk), now=timezone.now()
        )
        return secret_keep(request, party_id, secret)

    said = _("The secret is new; the old one is worth nothing any more.")
    # Once a secret was looked at, pressing again asks for another one.
    return _button(
        request,
        party_id,
        f"application_rotate:{party_id}",
        effect,
        said,
        stands=lambda: secret_is_kept(request, party_id),
    )


@requires(ADMIN)
@require_POST
def application_delete(request: HttpRequest, party_id: int) -> HttpResponse:
    def effect() -> str:
        services.application_delete(party_id=party_id, actor_id=str(request.user.pk), now=timezone.now())
        return resolve_url("application_list")

    return _button(request, party_id, f"application_delete:{party_id}", effect, _("The application is deleted."))


@requires(ADMIN)
@never_cache
@require_GET
def application_secret(request: HttpRequest, party_id: int) -> HttpResponse:
    """Shows the new secret once; of what is asked for again only a hash is left."""
    party = get_object_or_404(RelyingParty, pk=party_id, is_own=False)
    context = {"party": party, "secret": secret_take(request, party_id)}
    return render(request, "accounts/application_secret.html", context)


def with_redirects(parties: Iterable[RelyingParty]) -> list[tuple[RelyingParty, list[str]]]:
    """Each application with its redirect addresses, in one query for all."""
    parties = list(parties)
    found = selectors.redirect_uris_of(party.client_id for party in parties)
    return [(party, found.get(party.client_id, [])) for party in parties]


def _history(request: HttpRequest, party_id: int | None) -> dict[str, Any]:
    understood(NoFilter(request.GET))
    changes = table_page(request, selectors.application_history(party_id), sorts=HISTORY_SORTS, default="-when")
    return {"page": changes, "changes": told(changes.rows)}


def _data(request: HttpRequest, form: ApplicationForm) -> dict[str, Any]:
    data = {name: value for name, value in form.cleaned_data.items() if name != "form_key"}
    return data | {"actor_id": str(request.user.pk), "now": timezone.now()}


def _form_page(request: HttpRequest, form: ApplicationForm, party: RelyingParty | None) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "accounts/application_form.html", {"form": form, "party": party}, status=status)


def _once(
    request: HttpRequest,
    form: ApplicationForm,
    kind: str,
    effect: Callable[[], str],
    said: str,
    *,
    stands: Callable[[], bool] | None = None,
) -> HttpResponse | None:
    """The answer to a form that worked; None where a rule refused, which the form then says."""
    try:
        url = form.once(
            kind=kind,
            actor_id=request.user.pk,
            effect=effect,
            stands=stands,
        )
    except SentBefore:
        form.sent_before()
        return None
    except Refused as refused:
        form.add_error("name" if refused.code == "name_taken" else None, sentence(refused))
        return None
    messages.success(request, said)
    return HttpResponseRedirect(url)


def _button(
    request: HttpRequest,
    party_id: int,
    kind: str,
    effect: Callable[[], str],
    said: str,
    *,
    stands: Callable[[], bool] | None = None,
) -> HttpResponse:
    """A form that is only a button: done once, or refused on the application's page."""
    form = OneTimeForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused("incomplete")
        url = form.once(kind=kind, actor_id=request.user.pk, effect=effect, stands=stands)
    except SentBefore as before:
        messages.error(request, str(PRESSED_BEFORE))
        return HttpResponseRedirect(before.url)
    except Refused as refused:
        messages.error(request, sentence(refused))
        gone = refused.code == "gone"
        return HttpResponseRedirect(resolve_url("application_list") if gone else _page_of(party_id))
    messages.success(request, said)
    return HttpResponseRedirect(url)


def _page_of(party_id: int) -> str:
    return resolve_url("application_detail", party_id=party_id)
