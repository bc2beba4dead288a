"""How I am told of tasks: channels, their confirmation, and what became of each message."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from chassis.errors import NotUnderstood
from chassis.form_keys import PRESSED_BEFORE, OneTimeForm, SentBefore
from chassis.news import MOST
from chassis.permissions import signed_in
from chassis.tables import STATE_PARAMETERS, NoFilter, table_page, understood
from tasks import domain, selectors, services
from tasks.domain import Refused
from tasks.models import Delivery
from tasks.models.notification import Channel
from tasks.selectors import ChannelState
from tasks.services import CodeOutcome
from tasks.web.contact_forms import ADDRESS_FORMS, CodeForm, KeyForm, MessageNewsForm, SwitchForm
from tasks.web.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One channel on the page, with the form that is due next."""

    label: str
    state: ChannelState
    address_form: Form | None
    code_form: Form | None


@signed_in
@require_safe
def notifications(request: Request) -> HttpResponse:
    understood(NoFilter(request.GET))
    return _page(request)


@signed_in
@require_safe
def notification_news(request: Request) -> HttpResponse:
    """How many messages to me came since the page was made. By number: a message has the time of what it tells of."""
    since = understood(MessageNewsForm(request.GET))["since"]
    count = selectors.deliveries_of(request.user.pk).filter(pk__gt=since)[:MOST].count()
    context = {"count": count, "most": MOST, "address": reverse("notifications")}
    return render(request, "chassis/news.html", context)


@signed_in
@require_POST
def switch(request: Request, channel: str) -> HttpResponse:
    _known(channel)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        raise _broken()
    enabled: bool = form.cleaned_data["enabled"]

    def effect() -> None:
        services.contact_switch(actor=request.user, channel=channel, enabled=enabled)

    def stands() -> bool:
        return _state(request, channel).enabled == enabled

    said = (_("%(channel)s is on.") if enabled else _("%(channel)s is off.")) % {"channel": Channel(channel).label}
    return _pressed(request, form, kind=f"contact_switch:{channel}", effect=effect, stands=stands, said=said)


@signed_in
@require_POST
def code(request: Request, channel: str) -> HttpResponse:
    """Send a code to the address that was typed."""
    _known(channel, *ADDRESS_FORMS)
    form = ADDRESS_FORMS[channel](request.POST, auto_id=_ids(channel))
    if not form.is_valid():
        return _page(request, channel, address_form=form)
    address: str = form.cleaned_data["address"]

    def effect() -> None:
        services.code_send(
            actor=request.user,
            channel=channel,
            address=address,
            now=timezone.now(),
            rng=random.SystemRandom(),
        )

    def stands() -> bool:
        state = _state(request, channel)
        return address in (state.address, state.pending.address if state.pending else "")

    try:
        _once(request, form, kind=f"code_send:{channel}", effect=effect, stands=stands)
    except Refused as refused:
        form.add_error("address", str(refused))
        return _page(request, channel, address_form=form)
    except SentBefore:
        form.sent_before("address")
        return _page(request, channel, address_form=form)
    messages.success(request, _("A code is on its way to %(address)s.") % {"address": address})
    return _back()


@signed_in
@require_POST
def confirm(request: Request, channel: str) -> HttpResponse:
    _known(channel, *ADDRESS_FORMS)
    form = CodeForm(request.POST, auto_id=_ids(channel))
    if not form.is_valid():
        return _page(request, channel, code_form=form)

    outcome: CodeOutcome | None = None

    def effect() -> None:
        nonlocal outcome
        outcome = services.code_confirm(
            actor=request.user, channel=channel, code=form.cleaned_data["code"], now=timezone.now()
        )

    try:
        _once(request, form, kind=f"code_confirm:{channel}", effect=effect)
    except SentBefore:
        form.sent_before("code")
        return _page(request, channel, code_form=form)
    state = _state(request, channel)
    if outcome is None:  # sent before: the page says how many tries are left while there are any
        outcome = CodeOutcome.CONFIRMED if state.address else CodeOutcome.OVER
    if outcome is CodeOutcome.CONFIRMED:
        messages.success(request, _("Confirmed: %(channel)s is on.") % {"channel": Channel(channel).label})
    elif outcome is CodeOutcome.OVER and not state.pending:
        messages.error(request, _("This code is no longer good. Send another one."))
    return _back()


@signed_in
@require_POST
def forget(request: Request, channel: str) -> HttpResponse:
    _known(channel, *ADDRESS_FORMS)
    form = KeyForm(request.POST)
    if not form.is_valid():
        raise _broken()

    def effect() -> None:
        services.contact_forget(actor=request.user, channel=channel, now=timezone.now())

    def stands() -> bool:
        state = _state(request, channel)
        return not (state.address or state.pending)

    said = _("The address is forgotten.")
    return _pressed(request, form, kind=f"contact_forget:{channel}", effect=effect, stands=stands, said=said)


@signed_in
@require_POST
def again(request: Request, delivery_id: int) -> HttpResponse:
    form = KeyForm(request.POST)
    if not form.is_valid():
        raise _broken()

    def effect() -> None:
        services.message_send_again(delivery_id=delivery_id, actor=request.user, now=timezone.now())

    def stands() -> bool:
        return selectors.deliveries_of(request.user.pk).get(pk=delivery_id).state != "failed"

    said, kind = _("The message is on its way again."), f"message_send_again:{delivery_id}"
    try:
        return _pressed(request, form, kind=kind, effect=effect, stands=stands, said=said)
    except Delivery.DoesNotExist as error:
        raise Http404 from error


def _page(
    request: Request, channel: str = "", *, address_form: Form | None = None, code_form: Form | None = None
) -> HttpResponse:
    """The page; a form that was refused stands in its card as it was typed."""
    cards = []
    for state in selectors.channel_states(request.user, now=timezone.now()):
        mine = state.channel == channel
        asked = ADDRESS_FORMS.get(state.channel)
        cards.append(
            Card(
                label=Channel(state.channel).label,
                state=state,
                address_form=(address_form if mine else None)
                or (asked(auto_id=_ids(state.channel)) if asked else None),
                code_form=(code_form if mine else None)
                or (CodeForm(auto_id=_ids(state.channel)) if state.pending else None),
            )
        )
    page = table_page(
        request,
        selectors.deliveries_of(request.user.pk),
        sorts={"when": ("created_at", "id")},
        default="-when",
    )
    newest = None if STATE_PARAMETERS & set(request.GET) else max((row.pk for row in page), default=0)
    context = {"cards": cards, "page": page, "newest": newest}
    return render(request, "tasks/notifications.html", context, status=422 if channel else 200)


def _ids(channel: str) -> str:
    """Two channels have fields of the same name."""
    return f"{channel}_%s"


def _state(request: Request, channel: str) -> ChannelState:
    states = selectors.channel_states(request.user, now=timezone.now())
    return next(state for state in states if state.channel == channel)


def _pressed(
    request: Request,
    form: OneTimeForm,
    *,
    kind: str,
    effect: Callable[[], None],
    stands: Callable[[], bool],
    said: str,
) -> HttpResponse:
    """A form that is only a button: run once, answered on the page; a repetition of what stands no more is told so."""
    try:
        _once(request, form, kind=kind, effect=effect, stands=stands)
    except Refused as refused:
        messages.error(request, str(refused))
    except SentBefore:
        messages.error(request, str(PRESSED_BEFORE))
    else:
        messages.success(request, said)
    return _back()


def _once(
    request: Request,
    form: OneTimeForm,
    *,
    kind: str,
    effect: Callable[[], None],
    stands: Callable[[], bool] | None = None,
) -> None:
    def run() -> str:
        effect()
        return reverse("notifications")

    form.once(
        kind=kind,
        actor_id=request.user.pk,
        effect=run,
        stands=stands,
    )


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("notifications"))


def _known(channel: str, *channels: str) -> None:
    if channel not in (channels or (domain.MAIL, domain.SMS, domain.SLACK)):
        raise Http404


def _broken() -> NotUnderstood:
    return NotUnderstood(_("This form is not complete. Load the page again and press once more."))
