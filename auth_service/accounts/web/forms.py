"""Forms of auth. They check shape; rules live in `domain` and `services`."""

import math
from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import selectors
from accounts.domain import ADDRESS_LENGTH, REDIRECT_URIS, ROLES, WORKER, Refused, redirect_uri_checked
from accounts.models import Account
from accounts.web.addresses import throttled_address
from accounts.web.refusals import sentence
from chassis.form_keys import OneTimeForm
from chassis.tables import ExportForm
from chassis.validators import visible_line

ROLE_LABELS = {"admin": _("Admin"), "manager": _("Manager"), "finance": _("Finance"), "worker": _("Worker")}
STATUS_LABELS = {"active": _("Active"), "invited": _("Invited"), "deactivated": _("Deactivated")}
ROLE_CHOICES = [(role, ROLE_LABELS[role]) for role in ROLES]
ROLE_HELP = _(
    "Workers do tasks and are paid for them. Managers pick who gets a task, reopen and reassign. Finance sees the money"
    " and corrects it. Admins see all of it and keep the accounts."
)


NAME_LENGTH = 150
PASSWORD_LENGTH = 256


class LineField(forms.CharField):
    """One line of text of people's own: a name, a position."""

    default_validators = [visible_line]


class SignInForm(forms.Form):
    """E-mail and password. Too many wrong ones lock this address for this network address, for a while."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    remember = forms.BooleanField(label=_("Keep me signed in for 30 days"), required=False)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.account: Account | None = None

    @property
    def is_locked(self) -> bool:
        return bool(getattr(self.request, "axes_locked_out", False))

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not {"email", "password"} <= data.keys():
            return data
        email = data["email"].lower()
        found = authenticate(self.request, email=email, password=data["password"])
        if self.is_locked:
            raise ValidationError(self._locked_sentence(email), code="locked")
        if not isinstance(found, Account):
            raise ValidationError(
                _("E-mail and password do not fit together, or the account may not sign in."), code="wrong"
            )
        self.account = found
        return data

    def _locked_sentence(self, email: str) -> str:
        """The same whether there is such an account or not."""
        now = timezone.now()
        locks = selectors.account_locks(email, address=throttled_address(self.request), now=now)
        minutes = max(1, math.ceil((locks[0].until - now).total_seconds() / 60)) if locks else 1
        return ngettext(
            "Too many wrong passwords for this address from your network. Wait %(minutes)d minute, choose a new"
            " password by mail, or ask an admin to lift the lock.",
            "Too many wrong passwords for this address from your network. Wait %(minutes)d minutes, choose a new"
            " password by mail, or ask an admin to lift the lock.",
            minutes,
        ) % {"minutes": minutes}


class NewPasswordForm(OneTimeForm):
    """A password, typed once: it can be shown, and a reset is a mail away."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=PASSWORD_LENGTH,
        help_text=_("At least 10 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.account)
        return password


class ChangePasswordForm(NewPasswordForm):
    current = forms.CharField(
        label=_("Current password"),
        strip=False,
        max_length=PASSWORD_LENGTH,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password")


class NameForm(OneTimeForm):
    full_name = LineField(
        label=_("Name"), max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class AccountForm(OneTimeForm):
    full_name = LineField(label=_("Name"), max_length=NAME_LENGTH, required=False)
    position = LineField(label=_("Position"), max_length=NAME_LENGTH, required=False)


class RoleForm(OneTimeForm):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, help_text=ROLE_HELP)


class InvitationForm(OneTimeForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    full_name = LineField(label=_("Name"), max_length=NAME_LENGTH)
    position = LineField(label=_("Position"), max_length=NAME_LENGTH, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, initial=WORKER, help_text=ROLE_HELP)


class ApplicationForm(OneTimeForm):
    """U3: an application that is not our own. The rules of its addresses are in `domain`."""

    name = LineField(
        label=_("Name"), max_length=40, help_text=_("As people will read it when they are asked for their consent.")
    )
    redirect_uris = forms.CharField(
        label=_("Redirect addresses"),
        max_length=REDIRECT_URIS * (ADDRESS_LENGTH + 2),
        help_text=_("One on each line, complete and exact. People are sent back to no other."),
        widget=forms.Textarea(
            attrs={"rows": 3, "spellcheck": "false", "placeholder": "https://roster.example/complete"}
        ),
    )
    backchannel_logout_uri = forms.CharField(
        label=_("Log-out address"),
        required=False,
        max_length=ADDRESS_LENGTH,
        help_text=_("Where the application is told that somebody signed out (OpenID Connect back-channel logout)."),
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )

    def clean_redirect_uris(self) -> list[str]:
        uris = [line.strip() for line in self.cleaned_data["redirect_uris"].splitlines() if line.strip()]
        if not 1 <= len(uris) <= REDIRECT_URIS:
            raise ValidationError(sentence(Refused("uris")))
        return [_checked_uri(uri) for uri in uris]

    def clean_backchannel_logout_uri(self) -> str:
        uri = self.cleaned_data["backchannel_logout_uri"]
        return _checked_uri(uri) if uri else ""


def _checked_uri(uri: str) -> str:
    try:
        return redirect_uri_checked(uri, plain_http=selectors.plain_http_allowed())
    except Refused as refused:
        raise ValidationError(f"{uri[:100]}: {sentence(refused)}") from refused


class EmailForm(OneTimeForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class SignUpForm(EmailForm):
    full_name = LineField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    field_order = ("full_name", "email")


class FilterForm(forms.Form):
    """What the list of accounts may be narrowed to; each is a part of its address."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": _("Name, e-mail or position"),
                "data-key": "/",
                "data-key-label": _("search"),
            }
        ),
    )
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("All roles")), *ROLE_CHOICES])
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any status")), *STATUS_LABELS.items()]
    )


class AccountExport(FilterForm, ExportForm):
    """What the export of the list knows."""
