"""Forms of auth. They check shape; rules live in `domain` and `services`."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import ROLES, WORKER
from accounts.models import Account
from chassis.form_keys import OneTimeForm

ROLE_LABELS = {"admin": _("Admin"), "manager": _("Manager"), "finance": _("Finance"), "worker": _("Worker")}
STATUS_LABELS = {"active": _("Active"), "invited": _("Invited"), "deactivated": _("Deactivated")}
ROLE_CHOICES = [(role, ROLE_LABELS[role]) for role in ROLES]


class SignInForm(forms.Form):
    """E-mail and password. Too many wrong ones lock this address for this network address, for a while."""

    email = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
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
        found = authenticate(self.request, email=data["email"].lower(), password=data["password"])
        if self.is_locked:
            raise ValidationError(
                _("Too many wrong passwords for this address. Wait 15 minutes, or ask an admin."), code="locked"
            )
        if not isinstance(found, Account):
            raise ValidationError(
                _("E-mail and password do not fit together, or the account may not sign in."), code="wrong"
            )
        self.account = found
        return data


class NewPasswordForm(forms.Form):
    """A password, typed once: it can be shown, and a reset is a mail away."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=256,
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
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password")

    def clean_current(self) -> str:
        if not self.account.check_password(self.cleaned_data["current"]):
            raise ValidationError(_("This is not your password."))
        return str(self.cleaned_data["current"])


class NameForm(OneTimeForm):
    full_name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))


class AccountForm(OneTimeForm):
    full_name = forms.CharField(label=_("Name"), max_length=150, required=False)
    position = forms.CharField(label=_("Position"), max_length=150, required=False)


class RoleForm(OneTimeForm):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)


class InvitationForm(OneTimeForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    full_name = forms.CharField(label=_("Name"), max_length=150)
    position = forms.CharField(label=_("Position"), max_length=150, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, initial=WORKER)


class EmailForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class SignUpForm(EmailForm):
    full_name = forms.CharField(
        label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    field_order = ("full_name", "email")


class FilterForm(forms.Form):
    """What the list of accounts may be narrowed to; each is a part of its address."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Name, e-mail or position")}),
    )
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("All roles")), *ROLE_CHOICES])
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Any status")), *STATUS_LABELS.items()]
    )
