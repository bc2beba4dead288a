"""Why a record became a dead letter, in words for people: what it means, and what there is to do about it.

The words of the code (`DeadLetter.reason`) stay what metrics and alerts count by.
"""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(NamedTuple):
    """A reason in a few words, and the sentence that says what to do."""

    title: Promise | str
    advice: Promise | str


_SENT_WRONG = _(
    "It can never be applied as it is. Its producer has to send it anew, and rightly; then discard this one."
)
_NOT_KNOWN_YET = _("A newer release of this service may know it. Bring the service up to date and retry.")

REASONS: Mapping[str, Reason] = {
    "handler": Reason(
        _("Failed when it was applied"),
        _("The service raised the error below. Once its cause is mended (by a release, or in the data), retry."),
    ),
    "waiting": Reason(
        _("Waits behind another one"),
        _("An earlier event of the same key was set aside. Decide about that one; this one follows in order."),
    ),
    "future": Reason(
        _("Dated after it was received"),
        _("The clock of its producer was wrong. Have it put right; if the event itself is right, retry."),
    ),
    "malformed": Reason(_("Cannot be read"), _SENT_WRONG),
    "wrong_name": Reason(_("Names another event than it holds"), _SENT_WRONG),
    "wrong_topic": Reason(_("On a topic that it does not belong on"), _SENT_WRONG),
    "wrong_key": Reason(_("Under a key that is not its own"), _SENT_WRONG),
    "other_producer": Reason(
        _("Sent by a service that may not send it"),
        _("Somebody else writes to this topic. Find out who, then discard it."),
    ),
    "unknown_event": Reason(_("An event that is not known here"), _NOT_KNOWN_YET),
    "unknown_version": Reason(_("A version that is not known here"), _NOT_KNOWN_YET),
    "unknown_schema": Reason(
        _("Written with a schema that the registry does not know"),
        _("Register the schemas of the release that sent it, then retry."),
    ),
    "other_schema": Reason(
        _("Not written with the schema that it names"),
        _("The registry was made anew, or the record was changed on its way. Register the schemas, then retry."),
    ),
}


def reason_of(code: str) -> Reason:
    """The words for a reason; a code that has none yet stands for itself."""
    return REASONS.get(code) or Reason(code, "")
