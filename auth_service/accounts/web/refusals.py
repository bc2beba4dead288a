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
    "wrong_password": _("This is not your password."),
    "not_locked": _("There is no lock any more: sign-in is open."),
    "confirmed": _("This person has set a password already; a new link comes from “Forgotten password”."),
    "name_taken": _("There is an application with this name already."),
    "provisioned": _("Our own services are set up at deployment and cannot be changed here."),
    "incomplete": _("This form was not complete: nothing was changed."),
    "gone": _("This application is not there any more."),
    "uris": _("Give one to ten addresses, each on a line of its own."),
    "uri": _("This is not a complete address."),
    "uri_scheme": _("An address begins with https://; http:// is only for 127.0.0.1 and localhost."),
    "uri_fragment": _("An address has no # in it."),
    "uri_wildcard": _("An address is compared letter by letter: there is no *."),
}


def sentence(refused: Refused) -> str:
    return str(SENTENCES[refused.code])
