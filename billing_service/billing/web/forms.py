"""Filters and forms of billing's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from chassis.form_keys import OneTimeForm


class StatementFilter(forms.Form):
    """The entries of one day."""

    day = forms.DateField(required=False, label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))


class WorkerFilter(forms.Form):
    """All, or those who left with a balance."""

    show = forms.ChoiceField(required=False, label=_("Show"), choices=[("", _("everybody")), ("left", _("left"))])


class CloseForm(OneTimeForm):
    """The button that closes a due cycle."""
