"""What is pressed on a row or a task page. Each form has a one-time key: twice pressed is once done."""

import random
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from chassis.errors import NotUnderstood, is_htmx
from chassis.form_keys import PRESSED_BEFORE, OneTimeForm, SentBefore
from chassis.permissions import page_of, signed_in
from tasks import domain, selectors, services
from tasks.domain import Heading, Refused, TextError
from tasks.models import Task
from tasks.web.forms import TEXT_ERRORS, CompleteForm, QuickAddForm, ReopenForm
from tasks.web.requests import Request
from tasks.web.rows import row_of

from .lists import list_page, tab_of

AnyForm = TypeVar("AnyForm", bound=OneTimeForm)


@signed_in
@require_safe
def reading(request: Request) -> HttpResponse:
    """How the line that is being typed will be read."""
    heading: Heading | None = None
    problem = None
    if typed := request.GET.get("title", "").strip():
        try:
            heading = domain.heading_read(typed)
        except TextError as error:
            problem = TEXT_ERRORS[error.code]
    return render(request, "tasks/_reading.html", {"heading": heading, "problem": problem})


@signed_in
@require_POST
def quick_add(request: Request) -> HttpResponse:
    """One line makes a task for a random worker; with htmx it appears on top of the list that shows it."""
    tab, search = tab_of(request.user, request.POST.get("show", "")), request.POST.get("q", "")
    form = QuickAddForm(request.POST)
    row = None
    if form.is_valid():
        try:
            task_id = _task_of(_created_once(request, form))
            row = row_of(task_id, viewer=request.user, now=timezone.now())
        except Refused as refused:
            form.add_error("title", str(refused))
        except SentBefore:
            form.sent_before("title")
    said = _linked(_("Added, and %(name)s got it") % {"name": row.assignee}, row.task) if row else ""
    if not is_htmx(request):
        if row is None:
            return list_page(request, tab=tab, search=search, quick_add=form, status=422)
        messages.success(request, said)
        return HttpResponseRedirect(_list_url(tab.name, search))
    shown = row is not None and not search and (tab.name == "open" or (tab.name == "mine" and row.mine))
    if shown and "empty" in request.POST:
        messages.success(request, said)
        return HttpResponseClientRefresh()
    context = {"quick_add": QuickAddForm() if row else form, "row": row, "shown": shown, "tab": tab, "search": search}
    return render(request, "tasks/_added.html", context)


def _created_once(request: Request, form: QuickAddForm) -> str:
    def effect() -> str:
        task = services.task_create(
            actor=request.user,
            heading=form.cleaned_data["title"],
            description="",
            now=timezone.now(),
            rng=random.SystemRandom(),
        )
        return task_url(task.pk)

    return form.once(
        kind="task_create",
        actor_id=request.user.pk,
        effect=effect,
    )


def _list_url(show: str, search: str) -> str:
    """The list that a form was on: after a refusal its page stands at an address that only takes forms."""
    asked = QueryDict(mutable=True)
    asked.update({"show": show} | ({"q": search} if search else {}))
    return f"{reverse('task_list')}?{asked.urlencode()}"


@signed_in
@require_POST
def done(request: Request, task_id: UUID) -> HttpResponse:
    form = _understood(CompleteForm(request.POST))
    return _act(
        request,
        task_id,
        form=form,
        kind="task_done",
        stands=lambda task: not task.is_open,
        said=_("Done. For ten minutes it can be undone on its page"),
        effect=lambda: services.task_complete(
            task_id=task_id,
            actor=request.user,
            assignment_no=form.cleaned_data["assignment_no"],
            now=timezone.now(),
        ),
    )


@signed_in
@require_POST
def undo(request: Request, task_id: UUID) -> HttpResponse:
    form = _understood(ReopenForm(request.POST))
    return _act(
        request,
        task_id,
        form=form,
        kind="task_undo",
        stands=lambda task: task.is_open,
        said=_("Undone: the task is open again"),
        effect=lambda: services.task_undo(
            task_id=task_id,
            actor=request.user,
            completion_no=form.cleaned_data["completion_no"],
            now=timezone.now(),
            rng=random.SystemRandom(),
        ),
    )


@signed_in
@require_POST
def reopen(request: Request, task_id: UUID) -> HttpResponse:
    form = _understood(ReopenForm(request.POST))
    return _act(
        request,
        task_id,
        form=form,
        kind="task_reopen",
        stands=lambda task: task.is_open,
        said=_("Reopened; the reward is taken back"),
        effect=lambda: services.task_reopen(
            task_id=task_id,
            actor=request.user,
            completion_no=form.cleaned_data["completion_no"],
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
            rng=random.SystemRandom(),
        ),
    )


def task_url(task_id: UUID) -> str:
    return reverse("task_page", args=[task_id])


def _act(
    request: Request,
    task_id: UUID,
    *,
    form: OneTimeForm,
    kind: str,
    stands: Callable[[Task], bool],
    said: str,
    effect: Callable[[], Task],
) -> HttpResponse:
    """Run one action once. With htmx the answer is the row as it is now, with the refusal where one pressed; without,
    it is the page one came from. A repetition is told so when what it did no longer `stands`."""
    back = page_of(request)
    refusal = ""

    def run() -> str:
        effect()
        return back

    try:
        back = form.once(
            kind=kind,
            actor_id=request.user.pk,
            effect=run,
            stands=lambda: stands(selectors.task_get(task_id)),
        )
    except SentBefore:
        refusal = str(PRESSED_BEFORE)
    except Task.DoesNotExist as error:
        raise Http404 from error
    except Refused as refused:
        refusal = str(refused)
    if is_htmx(request):
        row = row_of(task_id, viewer=request.user, now=timezone.now(), refusal=refusal)
        return render(request, "tasks/_row.html", {"row": row, "struck": not row.task.is_open})
    if refusal:
        messages.error(request, refusal)
    else:
        messages.success(request, _linked(said, selectors.task_get(task_id)))
    return HttpResponseRedirect(back)


def _understood(form: AnyForm) -> AnyForm:
    """The hidden fields of a button are ours: if they are broken, the address was made by hand."""
    if not form.is_valid():
        raise NotUnderstood(_("This form is not complete. Load the page again and press once more."))
    return form


def _linked(said: str, task: Task) -> str:
    return format_html('{}: <a class="alert-link" href="{}">{}</a>', said, task_url(task.pk), task)


def _task_of(url: str) -> UUID:
    task_id: UUID = resolve(url).kwargs["task_id"]
    return task_id
