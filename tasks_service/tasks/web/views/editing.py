from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chassis.form_keys import SentBefore
from chassis.permissions import refuse, signed_in
from tasks import domain, selectors, services
from tasks.domain import Refused
from tasks.models import Task
from tasks.services import EditedMeanwhile
from tasks.web.forms import EditForm
from tasks.web.requests import Request

from .actions import task_url
from .reassignments import LEADERS


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def task_edit(request: Request, task_id: UUID) -> HttpResponse:
    """The texts of an open task, for who created it, managers and admins (T8)."""
    try:
        task = selectors.task_get(task_id)
    except Task.DoesNotExist as error:
        raise Http404 from error
    if not domain.may_edit(actor_id=request.user.pk, role=request.user.role, creator_id=task.creator_id):
        refuse(request, *LEADERS)
    if request.method == "POST":
        return _posted(request, task)
    if not task.is_open:
        messages.error(request, _("This task is done: its texts stay as they are."))
        return HttpResponseRedirect(task_url(task_id))
    return _page(request, task, EditForm.of(task))


def _posted(request: Request, task: Task) -> HttpResponse:
    form = EditForm(request.POST)
    if not form.is_valid():
        return _page(request, task, form)
    try:
        url = form.once(
            kind="task_edit",
            actor_id=request.user.pk,
            effect=lambda: _edited(request, task.pk, form),
        )
    except SentBefore:
        form.sent_before()
        return _page(request, task, form)
    except EditedMeanwhile as edited:
        return _page(request, edited.task, form.made_again_from(edited.task), meanwhile=True)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _page(request, task, form)
    return HttpResponseRedirect(url)


def _edited(request: Request, task_id: UUID, form: EditForm) -> str:
    task = services.task_edit(
        task_id=task_id,
        actor=request.user,
        heading=form.cleaned_data["title"],
        description=form.cleaned_data["description"],
        version=form.cleaned_data["version"],
        now=timezone.now(),
    )
    messages.success(request, _("Saved."))
    return task_url(task.pk)


def _page(request: Request, task: Task, form: EditForm, *, meanwhile: bool = False) -> HttpResponse:
    context = {"task": task, "form": form, "meanwhile": meanwhile, "editor": ""}
    if meanwhile:
        edit = selectors.task_history(task.pk).filter(kind="edited").last()
        context["editor"] = selectors.account_name(cast("UUID", edit.actor_id)) if edit else ""
    return render(request, "tasks/edit.html", context, status=422 if form.is_bound else 200)
