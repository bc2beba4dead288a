"""Kinds, causes and cases in words (B2, B8)."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain import RESTORED, Case, Company, Kind
from billing.models import Cycle
from billing.selectors.complaints import Complaint
from billing.selectors.cycles import Progress
from billing.selectors.statements import Line
from chassis.business_time import format_when, in_zone

KINDS = {
    Kind.FEE: gettext_lazy("Fee"),
    Kind.EARNING: gettext_lazy("Reward"),
    Kind.REVERSAL: gettext_lazy("Reward reversed"),
    Kind.PAYOUT: gettext_lazy("Payout"),
    Kind.PAYOUT_RETURN: gettext_lazy("Payout returned"),
    Kind.ADJUSTMENT: gettext_lazy("Correction"),
}
BY_SOMEBODY = {
    (Kind.FEE, "created"): gettext_lazy("assigned at creation by %(who)s, %(time)s"),
    (Kind.FEE, "reassigned"): gettext_lazy("all tasks reassigned by %(who)s, %(time)s"),
    (Kind.FEE, "left"): gettext_lazy("drawn anew, the assignee left, %(time)s"),
    (Kind.FEE, "reopened"): gettext_lazy("drawn anew at reopening by %(who)s, %(time)s"),
    (Kind.FEE, "waited"): gettext_lazy("assigned after waiting for a worker, %(time)s"),
    (Kind.FEE, "crossed"): gettext_lazy("drawn anew, the assignment crossed a deactivation, %(time)s"),
    (Kind.EARNING, ""): gettext_lazy("completed by %(who)s, %(time)s"),
    (Kind.REVERSAL, "undone"): gettext_lazy("done was undone by %(who)s, %(time)s"),
    (Kind.REVERSAL, "reopened"): gettext_lazy("reopened by %(who)s, %(time)s"),
    (Kind.PAYOUT_RETURN, ""): gettext_lazy("the payout came back, entered by %(who)s, %(time)s"),
    (Kind.ADJUSTMENT, ""): gettext_lazy("corrected by %(who)s, %(time)s"),
}

COMPANY = {
    Company.INCOME: gettext_lazy("the company: management's income"),
    Company.PAYOUTS: gettext_lazy("the company: payouts"),
    Company.CORRECTIONS: gettext_lazy("the company: corrections"),
}
CYCLE_STATES = {
    "open": gettext_lazy("open"),
    "due": gettext_lazy("due"),
    "closing": gettext_lazy("closing"),
    "failed": gettext_lazy("failed, is tried again"),
    "closed": gettext_lazy("closed"),
}
CASES = {
    Case.NOT_RECEIVED: gettext_lazy("Not received: no event of this task has arrived in billing."),
    Case.NOT_COMPLETED: gettext_lazy("Not completed: the task is open, and nobody has earned its reward."),
    Case.COMPLETION_NOT_RECEIVED: gettext_lazy(
        "Not received: the task says that it was completed, but the event that earns the reward has not arrived."
    ),
    Case.DEAD_LETTERS: gettext_lazy(
        "Waiting in dead letters: events of this task could not be applied yet; they are listed below."
    ),
    Case.REOPENED: gettext_lazy("Reopened: the reward was earned and taken back; %(why)s."),
    Case.BY_ANOTHER: gettext_lazy("Completed by another: the reward went to %(earner)s, %(when)s."),
    Case.REWARDED: gettext_lazy("Rewarded: %(earner)s earned it, %(when)s."),
}

# How many characters of a cause that is not known here are shown, and how many can be read: on hover and in a file.
CAUSE_SHOWN, CAUSE_READ = 60, 1_000


def kind_in_words(kind: str) -> str:
    """What an entry is."""
    return str(KINDS[Kind(kind)])


def cause_in_words(line: Line, *, longest: int = CAUSE_READ) -> str:
    """Why an entry is there: who did what, when; an unknown cause as it is, up to `longest` characters."""
    entry = line.entry
    if entry.kind == Kind.PAYOUT:
        return _("cycle due %(when)s was closed") % {"when": line.cycle.name}
    if entry.cause == RESTORED:
        return _("taken back after a restore, %(time)s") % {"time": f"{in_zone(entry.occurred_at):%H:%M}"}
    unknown = _("%(cause)s, by %(who)s, %(time)s")
    words = str(BY_SOMEBODY.get((Kind(entry.kind), entry.cause), unknown))
    who = line.actor or _("the system")
    return words % {"who": who, "time": f"{in_zone(entry.occurred_at):%H:%M}", "cause": _cut(entry.cause, longest)}


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def settlement_in_words(line: Line) -> str:
    """What became of an entry's money; empty for a payout and its return."""
    if line.entry.kind in (Kind.PAYOUT, Kind.PAYOUT_RETURN):
        return ""
    if line.payout:
        return _("paid out")
    return _("carried over") if line.cycle.state == Cycle.State.CLOSED else _("not yet")


def cycle_state(cycle: Cycle, now: datetime) -> str:
    """Where a cycle stands, also what its `state` does not tell: a due one waits, a failed one is tried again."""
    if cycle.state == Cycle.State.CLOSED:
        return "closed"
    if cycle.failure:
        return "failed"
    return "due" if cycle.state == Cycle.State.OPEN and cycle.due_at <= now else cycle.state


def cycle_in_words(cycle: Cycle, now: datetime, progress: Progress | None) -> str:
    """A cycle's state; `progress` says how far a closing is."""
    state = cycle_state(cycle, now)
    if state == "closing" and progress:
        return _("closing, %(paid)s of %(workers)s") % {"paid": progress.paid, "workers": progress.workers}
    return str(CYCLE_STATES[state])


def company_in_words(side: UUID) -> str:
    """Which part of the company a side of an entry is; empty for a worker's ledger account."""
    return str(COMPANY.get(side, ""))


def case_in_words(found: Complaint) -> str:
    """What became of a task's reward."""
    given = {}
    if found.standing:
        given = {"earner": found.standing.account.name, "when": format_when(found.standing.entry.occurred_at)}
    if found.taken_back:
        given["why"] = cause_in_words(found.taken_back, longest=CAUSE_SHOWN)
    return str(CASES[found.case]) % given
