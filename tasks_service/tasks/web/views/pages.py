import random
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chassis.form_keys import SentBefore
from chassis.permissions import signed_in
from chassis.tables import NoFilter, table_page, understood
from tasks import domain, selectors, services
from tasks.domain import Refused
from tasks.models import Task
from tasks.web.forms import PickingTaskForm, TaskForm
from tasks.web.history import entries_of
from tasks.web.requests import Request
from tasks.web.rows import row_of

from .actions import task_url

HISTORY_SORTS = {"when": ("id",)}


@signed_in
@require_safe
def task_page(request: Request, task_id: UUID) -> HttpResponse:
    understood(NoFilter(request.GET))
    try:
        row = row_of(task_id, viewer=request.user, now=timezone.now())
    except Task.DoesNotExist as error:
        raise Http404 from error
    page = table_page(request, selectors.task_history(task_id), sorts=HISTORY_SORTS, default="-when")
    people = selectors.accounts_by_id(
        person
        for entry in page
        for person in (entry.actor_id, entry.account_id, entry.previous_id, row.task.creator_id)
    )
    context = {
        "row": row,
        "page": page,
        "entries": entries_of(page.rows, people),
        "creator": people.get(row.task.creator_id),
        "leads": domain.is_leader(request.user.role),
    }
    return render(request, "tasks/task.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def task_new(request: Request) -> HttpResponse:
    form_class = PickingTaskForm if domain.is_leader(request.user.role) else TaskForm
    form = form_class(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "tasks/new.html", {"form": form}, status=200 if request.method != "POST" else 422)
    try:
        url = form.once(
            kind="task_create",
            actor_id=request.user.pk,
            effect=lambda: _created(request, form),
        )
    except SentBefore:
        form.sent_before()
        return render(request, "tasks/new.html", {"form": form}, status=422)
    except Refused as refused:
        form.add_error(None, str(refused))
        return render(request, "tasks/new.html", {"form": form}, status=422)
    return HttpResponseRedirect(url)


def _created(request: Request, form: TaskForm) -> str:
    picked = form.cleaned_data.get("assignee")
    task = services.task_create(
        actor=request.user,
        heading=form.cleaned_data["title"],
        description=form.cleaned_data["description"],
        now=timezone.now(),
        rng=random.SystemRandom(),
        assignee_id=picked.pk if picked else None,
    )
    return task_url(task.pk)
