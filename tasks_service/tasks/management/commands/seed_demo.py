import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chassis import business_time
from chassis.demo import PATIENCE, Turns, business_days
from chassis.replica.models import Account
from eventbus import unsent
from tasks import domain, selectors, services
from tasks.management.demo import AFTERTHOUGHTS, DETAILS, Kind, steps_of, title_of
from tasks.models import Delivery, Task

LEADERS_CREATE = 0.6  # share of the tasks
LATE = clock(17, 45)


class Command(BaseCommand):
    help = "Work through one business day of the demo, by the use cases and with that day's clock; once for each day."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--day", type=date.fromisoformat, help="work through this day")
        what.add_argument("--late", type=date.fromisoformat, help="complete one more task at 17:45 of this day")
        what.add_argument(
            "--history", action="store_true", help="three weeks, while billing's --history settles each day"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo tasks exist only where DEMO is set.")
        if options["late"]:
            self.late(options["late"])
        elif options["history"]:
            self.history(business_time.business_date(timezone.now()))
        else:
            self.day(options["day"])

    def history(self, today: date) -> None:
        """Day by day, each after the one before it is settled; today comes last and stays open."""
        turns, days = Turns(), business_days(today)
        if turns.ended:
            self.day(today)
            return
        turns.wait("opened", days[0])
        deadline = time.monotonic() + PATIENCE
        while not (_leaders() and selectors.workers().exists()) and time.monotonic() < deadline:
            time.sleep(0.2)
        for day in days:
            if not turns.noted("settled", day):
                self.day(day)
                while unsent():
                    time.sleep(0.1)
                turns.note("told", day)
                turns.wait("settled", day)
        self.day(today)

    def day(self, day: date) -> None:
        """What people did on it."""
        first, following = business_time.day_bounds(day)
        if Task.objects.filter(created_at__gte=first, created_at__lt=following).exists():
            self.stdout.write(f"{day} has its tasks already.")
            return
        leaders = _leaders()
        if not leaders or not selectors.workers().exists():
            raise CommandError("There are no accounts yet: seed auth, and let the accounts' events arrive.")
        # One transaction, so that the worker that sends messages never sees those of the past waiting.
        with transaction.atomic():
            done = Day(day, leaders=leaders, now=timezone.now()).work()
            tell(following)
        self.stdout.write(f"{day}: {done} things done.")

    def late(self, day: date) -> None:
        """What is told so late that billing has closed the day meanwhile."""
        moment = datetime.combine(day, LATE, business_time.zone()).astimezone(UTC)
        story = Day(day, leaders=_leaders(), now=moment)
        with transaction.atomic():
            if not story.complete(moment):  # none was left: the demo is not without its late one
                story.create(moment - timedelta(hours=1))
                story.complete(moment)
            tell(business_time.day_bounds(day)[1])
        self.stdout.write(f"{day}: one task done late.")


def _leaders() -> list[Account]:
    return list(Account.objects.filter(role__in=("manager", "admin"), is_active=True).order_by("email"))


def tell(until: datetime) -> None:
    """Messages of a day of the story went out then: nobody gets mail about last month when the demo starts."""
    services.messages_compose(now=until)
    waiting = Delivery.objects.filter(done_at__isnull=True, attempts=0, next_attempt_at=until)
    waiting.update(done_at=F("created_at") + domain.GROUPED_WITHIN, attempts=1)


class Day:
    """One day and the people who work on it; nothing happens after `now`."""

    def __init__(self, day: date, *, leaders: Sequence[Account], now: datetime) -> None:
        self.rng = random.Random(f"tasks of {day}")  # noqa: S311 a story, not a secret
        self.leaders = leaders
        self.steps = [step for step in steps_of(day, zone=business_time.zone(), rng=self.rng) if step.at <= now]

    def work(self) -> int:
        acts: dict[Kind, Callable[[datetime], bool]] = {
            Kind.CREATE: self.create,
            Kind.COMPLETE: self.complete,
            Kind.COMPLETE_FOR: self.complete_for,
            Kind.UNDO: self.undo,
            Kind.REOPEN: self.reopen,
            Kind.REASSIGN: self.reassign,
            Kind.EDIT: self.edit,
        }
        return sum(acts[step.kind](step.at.astimezone(UTC)) for step in self.steps)

    def create(self, now: datetime) -> bool:
        people = self.leaders
        if self.rng.random() > LEADERS_CREATE:
            people = list(selectors.workers().order_by("email"))
        services.task_create(
            actor=self.rng.choice(people),
            heading=domain.heading_read(title_of(number=Task.objects.count(), rng=self.rng)),
            description=self.rng.choice(DETAILS),
            now=now,
            rng=self.rng,
        )
        return True

    def complete(self, now: datetime) -> bool:
        return self._complete(now, by=lambda task: _account(task.assignee_id)) is not None

    def complete_for(self, now: datetime) -> bool:
        return self._complete(now, by=lambda _: self.rng.choice(self.leaders)) is not None

    def undo(self, now: datetime) -> bool:
        """Somebody presses done, and takes it back three minutes before the time of this step."""
        task = self._complete(now - timedelta(minutes=3), by=lambda task: _account(task.assignee_id))
        if task is None:
            return False
        actor = _account(task.completed_by_id)
        services.task_undo(task_id=task.pk, actor=actor, completion_no=task.completion_no, now=now, rng=self.rng)
        return True

    def reopen(self, now: datetime) -> bool:
        """One of the latest completed ones was not that done after all."""
        done = Task.objects.filter(status=domain.DONE, completed_at__lt=now).order_by("-completed_at", "-id")[:10]
        task = self._any(list(done))
        if task is None:
            return False
        actor = self.rng.choice(self.leaders)
        services.task_reopen(task_id=task.pk, actor=actor, completion_no=task.completion_no, now=now, rng=self.rng)
        return True

    def reassign(self, now: datetime) -> bool:
        if not selectors.open_tasks().exists():
            return False
        key = UUID(int=self.rng.getrandbits(128), version=4)
        services.tasks_reassign(key=key, actor=self.rng.choice(self.leaders), again=True, now=now, rng=self.rng)
        return True

    def edit(self, now: datetime) -> bool:
        """Somebody remembers one thing more about a task that is open."""
        task = self._any(list(Task.objects.filter(status=domain.OPEN, created_at__lt=now).order_by("-id")[:10]))
        if task is None:
            return False
        creator = _account(task.creator_id)
        services.task_edit(
            task_id=task.pk,
            actor=creator if creator.is_active else self.rng.choice(self.leaders),
            heading=domain.heading_read(str(task)),
            description=f"{task.description}\n{self.rng.choice(AFTERTHOUGHTS)}",
            version=task.version,
            now=now,
        )
        return True

    def _complete(self, now: datetime, *, by: Callable[[Task], Account]) -> Task | None:
        """The task that was open for long enough and is picked; the older ones more often."""
        worked_on = Task.objects.filter(
            status=domain.OPEN, assignee_id__isnull=False, assigned_at__lt=now - timedelta(minutes=15)
        )
        task = self._any(list(worked_on.order_by("created_at", "id")[:15]))
        if task is None:
            return None
        return services.task_complete(task_id=task.pk, actor=by(task), assignment_no=task.assignment_no, now=now)

    def _any(self, tasks: Sequence[Task]) -> Task | None:
        return self.rng.choice(tasks) if tasks else None


def _account(account_id: UUID | None) -> Account:
    return Account.objects.get(pk=str(account_id))
