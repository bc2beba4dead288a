"""What operators watch of tasks: read at each scrape of its worker."""

from chassis.figures import Figure
from tasks.domain import OPEN
from tasks.models import Task

FIGURES = {
    "tasks_open": Figure("Open tasks", lambda: Task.objects.filter(status=OPEN).count()),
    "tasks_waiting_for_a_worker": Figure(
        "Open tasks that nobody has", lambda: Task.objects.filter(status=OPEN, assignee_id=None).count()
    ),
}
