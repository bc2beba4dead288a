"""A sentence for each rule that may refuse."""

from django.utils.translation import gettext_lazy as _

from accounts.domain import Refused

SENTENCES = {
    "email": _("This is not an e-mail address."),
    "role": _("There is no such role."),
    "taken": _("There is an account with this address already."),
    "unchanged": _("Nothing was changed: the account is like that already."),
    "last_admin": _("This is the last active admin: make somebody else an admin first."),
    "not_admin": _("You are no admin any more."),
    "inactive": _("This account is deactivated."),
    "link": _("This link was used or has expired."),
}


def sentence(refused: Refused) -> str:
    return str(SENTENCES[refused.code])
