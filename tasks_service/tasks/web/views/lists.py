from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from chassis.errors import NotUnderstood
from chassis.permissions import signed_in
from chassis.replica.models import Account
from chassis.tables import table_page, understood
from tasks import domain, selectors
from tasks.models import Task
from tasks.web.forms import ListForm, NewsForm, QuickAddForm
from tasks.web.requests import Request
from tasks.web.rows import row_of, rows_of

LONGEST_WAIT_SECONDS = 30
MOST_NEWS = 100
ASSIGNED = {"assigned": ("assigned_at", "id")}
COMPLETED = {"done": ("completed_at", "id")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One list of tasks, read from one index in its order, the latest first. `moment` is the field of that order."""

    name: str
    label: str | Promise
    tasks: Callable[[Account], QuerySet[Task]]
    sorts: Mapping[str, Sequence[str]]
    empty_title: str | Promise
    empty_text: str | Promise
    workers_only: bool = False

    @property
    def column(self) -> str:
        """The column that it is sorted by, as the address names it."""
        return next(iter(self.sorts))

    @property
    def moment(self) -> str:
        """The field behind that column."""
        return self.sorts[self.column][0]


TABS = (
    Tab(
        name="mine",
        label=_("Mine"),
        tasks=lambda viewer: selectors.open_tasks_of(viewer.pk),
        sorts=ASSIGNED,
        empty_title=_("Nothing to do"),
        empty_text=_("You have no open task. When one is assigned to you, it appears here."),
        workers_only=True,
    ),
    Tab(
        name="mine-done",
        label=_("My done"),
        tasks=lambda viewer: selectors.done_tasks_of(viewer.pk),
        sorts=COMPLETED,
        empty_title=_("Nothing done yet"),
        empty_text=_("Tasks that you earned a reward for appear here."),
        workers_only=True,
    ),
    Tab(
        name="open",
        label=_("All open"),
        tasks=lambda viewer: selectors.open_tasks(),
        sorts=ASSIGNED,
        empty_title=_("No open tasks"),
        empty_text=_("Everything is done. Write the next task into the line above."),
    ),
    Tab(
        name="done",
        label=_("All done"),
        tasks=lambda viewer: selectors.done_tasks(),
        sorts=COMPLETED,
        empty_title=_("Nothing done yet"),
        empty_text=_("Completed tasks appear here, the latest first."),
    ),
)


def tabs_of(viewer: Account) -> list[Tab]:
    """Workers open on their own tasks; nobody else has any."""
    return [tab for tab in TABS if viewer.role == domain.WORKER or not tab.workers_only]


def tab_of(viewer: Account, name: str) -> Tab:
    """The list of that name; the first one without a name."""
    tabs = tabs_of(viewer)
    found = next((tab for tab in tabs if name in ("", tab.name)), None)
    if found is None:
        raise NotUnderstood(_("There is no list called “%(name)s” here.") % {"name": name})
    return found


@signed_in
@require_safe
def task_list(request: Request) -> HttpResponse:
    asked = understood(ListForm(request.GET))
    tab = tab_of(request.user, asked["show"])
    return list_page(request, tab=tab, search=asked["q"], quick_add=QuickAddForm())


def tasks_of(tab: Tab, viewer: Account, search: str) -> QuerySet[Task]:
    """The rows of a list, those that a search finds if there is one."""
    tasks = tab.tasks(viewer)
    return selectors.found(tasks, search, newest=(f"-{tab.moment}", "-id")) if search else tasks


def list_page(
    request: Request, *, tab: Tab, quick_add: QuickAddForm, search: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now()
    tasks = tasks_of(tab, request.user, search)
    page = table_page(request, tasks, sorts=tab.sorts, default=f"-{tab.column}")
    context = {
        "tab": tab,
        "tabs": tabs_of(request.user),
        "search": search,
        "page": page,
        "rows": rows_of(page.rows, viewer=request.user, now=now),
        "quick_add": quick_add,
        "empty": not page.rows,
        "leads": domain.is_leader(request.user.role),
        "now": now,
    }
    return render(request, "tasks/list.html", context, status=status)


@signed_in
@require_safe
def task_news(request: Request) -> HttpResponse:
    """How many tasks came to a list since the page was made; what one added oneself is on it already."""
    asked = understood(NewsForm(request.GET))
    tab = tab_of(request.user, asked["show"])
    since: datetime = asked["since"]
    came = tasks_of(tab, request.user, asked["q"]).filter(**{f"{tab.moment}__gt": since})
    came = came.exclude(creator_id=request.user.pk, assignment_no=1).exclude(completed_by_id=request.user.pk)
    context = {"tab": tab, "search": asked["q"], "count": came[:MOST_NEWS].count(), "most": MOST_NEWS}
    return render(request, "tasks/_news.html", context)


@signed_in
@require_safe
def task_price(request: Request, task_id: UUID) -> HttpResponse:
    """The two price cells of a row, asked for until billing has priced the task; each time a little later."""
    try:
        wait = max(1, min(int(request.GET.get("wait", 1)), LONGEST_WAIT_SECONDS))
        row = row_of(task_id, viewer=request.user, now=timezone.now())
    except ValueError as error:
        raise NotUnderstood(_("“wait” is a number of seconds.")) from error
    except Task.DoesNotExist as error:
        raise Http404 from error
    context = {"row": row, "wait": min(wait * 2, LONGEST_WAIT_SECONDS)}
    return render(request, "tasks/_price.html", context)
