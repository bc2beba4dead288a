import random
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from chassis.form_keys import once
from chassis.news import list_of, news_response
from chassis.permissions import requires
from chassis.tables import NoFilter, table_page, understood
from tasks import selectors, services
from tasks.domain import Refused, reassigned_just_now
from tasks.models import Reassignment
from tasks.web.forms import ReassignForm
from tasks.web.requests import Request

LEADERS = ("manager", "admin")
SORTS = {"when": ("at", "id")}
SHARE_SORTS = {"after": ("after", "before", "id")}


@requires(*LEADERS)
@require_safe
def reassignment_list(request: Request) -> HttpResponse:
    understood(NoFilter(request.GET))
    page = table_page(request, Reassignment.objects.all(), sorts=SORTS, default="-when")
    people = selectors.accounts_by_id(run.actor_id for run in page.rows)
    context = {"page": page, "runs": [(run, people.get(run.actor_id)) for run in page.rows]}
    return render(request, "tasks/reassignments.html", context)


@requires(*LEADERS)
@require_safe
def reassignment_news(request: Request) -> HttpResponse:
    """How many runs of others there were since the page was made."""
    understood(NoFilter(list_of(request)))
    runs = Reassignment.objects.exclude(actor_id=request.user.pk)
    return news_response(request, runs, moment="at", page="reassignment_list")


@requires(*LEADERS)
@require_http_methods(["GET", "HEAD", "POST"])
def reassignment_new(request: Request) -> HttpResponse:
    """What it would do, said before; then the run itself. The form's key is the id of the run."""
    form = ReassignForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        key: UUID = form.cleaned_data["form_key"]
        try:
            again: bool = form.cleaned_data["again"]
            url = once(
                key=key,
                kind="tasks_reassign",
                actor_id=request.user.pk,
                effect=lambda: _reassigned(request, key, again=again),
            )
            return HttpResponseRedirect(url)
        except Refused as refused:
            refusal = str(refused)
    preview = selectors.reassignment_preview()
    last_actor = selectors.account_name(preview.last.actor_id) if preview.last else ""
    context = {
        "form": ReassignForm(),
        "preview": preview,
        "last_actor": last_actor,
        "just_now": reassigned_just_now(selectors.reassigned_last_at(request.user.pk), now=timezone.now()),
        "refusal": refusal,
    }
    return render(request, "tasks/reassignment_new.html", context, status=422 if refusal else 200)


def _reassigned(request: Request, key: UUID, *, again: bool) -> str:
    run = services.tasks_reassign(
        key=key, actor=request.user, again=again, now=timezone.now(), rng=random.SystemRandom()
    )
    return reverse("reassignment_page", args=[run.pk])


@requires(*LEADERS)
@require_safe
def reassignment_page(request: Request, reassignment_id: UUID) -> HttpResponse:
    understood(NoFilter(request.GET))
    try:
        run = Reassignment.objects.get(pk=reassignment_id)
    except Reassignment.DoesNotExist as error:
        raise Http404 from error
    shares = selectors.reassignment_shares(reassignment_id)
    page = table_page(request, shares, sorts=SHARE_SORTS, default="-after")
    people = selectors.accounts_by_id([run.actor_id, *(share.account_id for share in page)])
    context = {
        "run": run,
        "actor": people.get(run.actor_id),
        "page": page,
        "shares": [(share, people.get(share.account_id) if share.account_id else None) for share in page],
    }
    return render(request, "tasks/reassignment.html", context)
