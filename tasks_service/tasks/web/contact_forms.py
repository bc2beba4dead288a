"""How somebody wants to be told: the small forms of the notifications page."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from chassis.form_keys import OneTimeForm
from tasks import domain


class SwitchForm(OneTimeForm):
    enabled = forms.BooleanField(required=False)


class KeyForm(OneTimeForm):
    """A button; the address says what it does."""


class AddressField(forms.CharField):
    """A phone number or Slack member id, in its one spelling."""

    def __init__(self, *, channel: str, problem: Any, **options: Any) -> None:
        super().__init__(**options)
        self.channel, self.problem = channel, problem

    def clean(self, value: Any) -> str:
        try:
            return domain.address_read(self.channel, super().clean(value))
        except ValueError as error:
            raise ValidationError(self.problem, code="invalid") from error


class NumberForm(OneTimeForm):
    address = AddressField(
        channel=domain.SMS,
        label=_("Phone number"),
        help_text=_("With the country code: +49 151 23456789."),
        problem=_("Write the whole number with + and the country code, such as +49 151 23456789."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )


class MemberForm(OneTimeForm):
    address = AddressField(
        channel=domain.SLACK,
        label=_("Slack member ID"),
        help_text=_("In Slack: your profile, then the menu with three dots, “Copy member ID”."),
        problem=_("A member ID begins with U or W and has nine or more letters and digits, such as U024BE7LH."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


ADDRESS_FORMS: dict[str, type[OneTimeForm]] = {domain.SMS: NumberForm, domain.SLACK: MemberForm}


class CodeForm(OneTimeForm):
    code = forms.RegexField(
        label=_("Code"),
        regex=r"^[0-9]{6}$",
        error_messages={"invalid": _("A code has six digits.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class MessageNewsForm(forms.Form):
    """The number of the newest message that somebody sees."""

    since = forms.IntegerField(min_value=0)
