"""The dead letters' pages. They extend the service's `base.html`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from eventbus import dead_letters
from eventbus.models import DeadLetter
from eventbus.transient import is_transient

PAGE_SIZE = 50
_WAITING_SHOWN = 20
_NEWS = 100  # as many are counted
_APPLIED = gettext_lazy("Applied, with all that waited behind it.")
_APPLIED_BEFORE = gettext_lazy("It was applied before, with all that waited behind it. Nothing was done now.")
_DECIDED_BEFORE = gettext_lazy("It was decided about before. Nothing was done now.")
_DISCARDED = gettext_lazy("Discarded. It stays in the record with your reason.")


def _everybody(_request: HttpRequest) -> bool:
    return True


class Letter(Protocol):
    """What a service may ask a letter."""

    topic: str

    @property
    def about(self) -> str: ...


def _nowhere(_letter: Letter) -> str:
    return ""


def _takes(_reason: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Around:
    """What the service knows around its letters, and the bus does not.

    Who may act where some only read, the page of what a letter is about (or nothing), what people are called, and a
    validator of the reasons that people give.
    """

    may_act: Callable[[HttpRequest], bool] = _everybody
    page_of: Callable[[Letter], str] = _nowhere
    name_of: Callable[[str], str] = str
    check_reason: Callable[[str], None] = _takes


class DiscardForm(forms.Form):
    """Why a letter is never applied."""

    reason = forms.CharField(
        max_length=500,
        error_messages={"required": gettext_lazy("A reason is needed.")},
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "aria-describedby": "id_reason_error"}),
    )

    def __init__(self, *args: Any, check_reason: Callable[[str], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].validators.append(check_reason)


@require_safe
def letter_list(request: HttpRequest) -> HttpResponse:
    """Those to decide about, oldest first; or those decided about, newest first; 50 to a page."""
    if unknown := set(request.GET) - {"show", "after", "before"}:
        raise BadRequest(_("There is no filter “%(name)s”.") % {"name": min(unknown)})
    if twice := {name for name, values in request.GET.lists() if len(values) > 1}:
        raise BadRequest(_("The filter “%(name)s” is given twice.") % {"name": min(twice)})
    after, before = (_number(request, name) for name in ("after", "before"))
    show = request.GET.get("show", "")
    if show not in ("", "decided"):
        raise BadRequest(_("show is decided, or nothing."))
    found = dead_letters.listing(after=after, before=before, size=PAGE_SIZE + 1, decided=bool(show))
    more = len(found) > PAGE_SIZE
    letters = found[more:] if before else found[:PAGE_SIZE]
    context = {
        "letters": letters,
        "decided": bool(show),
        "next_after": letters[-1].pk if letters and (more or before) else None,
        "previous_before": letters[0].pk if letters and (more if before else after) else None,
        "elsewhere": bool(after or before),
        "newest": None if show or after or before else dead_letters.newest(),
    }
    return render(request, "eventbus/dead_letters.html", context)


@require_safe
def letter_news(request: HttpRequest) -> HttpResponse:
    """How many more there are to decide about since a page was made, whose newest letter was `since`."""
    count = dead_letters.count_newer(_number(request, "since"), most=_NEWS)
    return render(request, "eventbus/_news.html", {"count": count, "most": _NEWS})


def _number(request: HttpRequest, name: str) -> int:
    """A place in the list, as the links to its pages name it; zero where there is none."""
    text = request.GET.get(name, "0")
    if not text.isdecimal():
        raise BadRequest(_("%(name)s is the number of a dead letter.") % {"name": name})
    return int(text)


@require_safe
def letter_detail(request: HttpRequest, pk: int, around: Around) -> HttpResponse:
    """One letter: what it says, why it is here, what waits behind it, what was done."""
    return _detail(request, pk, around)


@require_POST
def letter_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it, and what waits with it, to the handlers again.

    The letter's own state is its one-time key: whoever comes second finds it decided, and is told so.
    """
    try:
        result = dead_letters.retry(pk, by=_who(request))
    except dead_letters.NotOpen:
        if _decided_so(request, pk, DeadLetter.State.APPLIED):
            messages.info(request, _APPLIED_BEFORE)
        else:
            messages.warning(request, _DECIDED_BEFORE)
    except Exception as error:
        if not is_transient(error):
            raise
        messages.error(
            request,
            _("Something it needs is away, nothing was done; try again later: %(error)s") % {"error": error},
        )
    else:
        _tell(request, result)
    return redirect("dead_letters:detail", pk=pk)


@require_POST
def letter_discard(request: HttpRequest, pk: int, around: Around) -> HttpResponse:
    """Decide that it is never applied; a reason is needed."""
    form = DiscardForm(request.POST, check_reason=around.check_reason)
    if not form.is_valid():
        return _detail(request, pk, around, form=form, status=422)
    try:
        dead_letters.discard(pk, by=_who(request), reason=form.cleaned_data["reason"])
    except dead_letters.NotOpen:
        if _decided_so(request, pk, DeadLetter.State.DISCARDED, resolution=form.cleaned_data["reason"]):
            messages.success(request, _DISCARDED)
        else:
            messages.warning(request, _DECIDED_BEFORE)
    else:
        messages.success(request, _DISCARDED)
    return redirect("dead_letters:detail", pk=pk)


def _decided_so(request: HttpRequest, pk: int, state: DeadLetter.State, **so: str) -> bool:
    """Whether the same person decided the same before: a form that is sent twice shows the first result."""
    return DeadLetter.objects.filter(pk=pk, state=state, resolved_by=_who(request), **so).exists()


def _detail(
    request: HttpRequest, pk: int, around: Around, *, form: DiscardForm | None = None, status: int = 200
) -> HttpResponse:
    letter = get_object_or_404(DeadLetter.objects.select_related("group"), pk=pk)
    others = dead_letters.sequence_of(letter).exclude(pk=pk)
    event = dead_letters.content(letter)
    context = {
        "letter": letter,
        "event": event,
        "fields": [(name, _shown(value)) for name, value in event.data.items()] if event else [],
        "raw": bytes(letter.value or b"")[:1_000].hex(" "),
        "others": others[:_WAITING_SHOWN],
        "others_count": others.count(),
        "form": form or DiscardForm(check_reason=around.check_reason),
        "may_act": around.may_act(request),
        "page": around.page_of(letter),
        "decided_by": around.name_of(letter.resolved_by) if letter.resolved_by else "",
    }
    return render(request, "eventbus/dead_letter.html", context, status=status)


def _shown(value: Any) -> Any:
    """A field of an event as it was sent: times with their offset."""
    return value.isoformat() if isinstance(value, date) else value


def _who(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        raise Http404
    return str(user.pk)


def _tell(request: HttpRequest, result: dead_letters.Retried) -> None:
    if result.error:
        told = _("Applied %(applied)s, %(left)s left. It failed again: %(error)s")
        messages.error(request, told % {"applied": result.applied, "left": result.left, "error": result.error})
    else:
        messages.success(request, _APPLIED)
