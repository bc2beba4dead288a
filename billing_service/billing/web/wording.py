"""Kinds and causes of entries in words (B2)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain import Kind
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
    (Kind.FEE, "undone"): gettext_lazy("drawn anew, done was undone by %(who)s, %(time)s"),
    (Kind.FEE, "waited"): gettext_lazy("assigned after waiting for a worker, %(time)s"),
    (Kind.FEE, "crossed"): gettext_lazy("drawn anew, the assignment crossed a deactivation, %(time)s"),
    (Kind.EARNING, ""): gettext_lazy("completed by %(who)s, %(time)s"),
    (Kind.REVERSAL, "undone"): gettext_lazy("done was undone by %(who)s, %(time)s"),
    (Kind.REVERSAL, "reopened"): gettext_lazy("reopened by %(who)s, %(time)s"),
    (Kind.PAYOUT_RETURN, ""): gettext_lazy("the payout came back, %(time)s"),
    (Kind.ADJUSTMENT, ""): gettext_lazy("corrected by %(who)s, %(time)s"),
}


def kind_in_words(kind: str) -> str:
    """What an entry is."""
    return str(KINDS[Kind(kind)])


def cause_in_words(line: Line) -> str:
    """Why an entry is there: who did what, when; a cause that is not known here is shown as it is."""
    entry = line.entry
    if entry.kind == Kind.PAYOUT:
        return _("cycle due %(when)s was closed") % {"when": format_when(line.cycle.due_at)}
    unknown = _("%(cause)s, by %(who)s, %(time)s")
    words = str(BY_SOMEBODY.get((Kind(entry.kind), entry.cause), unknown))
    who = line.actor or _("the system")
    return words % {"who": who, "time": f"{in_zone(entry.occurred_at):%H:%M}", "cause": entry.cause}
