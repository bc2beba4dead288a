from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from chassis.form_keys import OneTimeForm
from chassis.tables import ExportForm
from tasks import domain, selectors
from tasks.domain import Heading, TextError
from tasks.models import Task

TEXT_ERRORS = {
    "empty": _("Say in a few words what is to be done."),
    "lines": _("A title is one line: put the rest into the description."),
    "invisible": _("A title is text that one can see: type it anew, without invisible characters."),
    "brackets": _("A title has no [ or ], except around a Jira id at its start, such as [POPUG-42]."),
    "long": _("A title has at most 200 characters: put the rest into the description."),
    "description": _("A description has at most 10,000 characters."),
}


class ListForm(forms.Form):
    """What the address of the list says, besides order and page."""

    show = forms.CharField(required=False)
    q = forms.CharField(label=_("Search"), required=False, max_length=200)


class ListExport(ExportForm, ListForm):
    """The list as a file."""


class NewsForm(ListForm):
    since = forms.DateTimeField()


class HeadingField(forms.CharField):
    """A line such as `[JIRA-1] Title`; its clean value is a Heading."""

    def clean(self, value: Any) -> Heading:
        try:
            return domain.heading_read(super().clean(value))
        except TextError as error:
            raise ValidationError(TEXT_ERRORS[error.code], code=error.code) from error


class DescriptionField(forms.CharField):
    """Plain text of several lines."""

    def clean(self, value: Any) -> str:
        try:
            return domain.description_read(super().clean(value))
        except TextError as error:
            raise ValidationError(TEXT_ERRORS[error.code], code=error.code) from error


class QuickAddForm(OneTimeForm):
    title = HeadingField(
        label=_("New task"),
        error_messages={"required": TEXT_ERRORS["empty"]},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("[JIRA-1] What is to be done?")}),
    )


class TaskForm(OneTimeForm):
    title = HeadingField(
        label=_("Title"),
        help_text=_("One line. A Jira id in brackets at its start is kept apart: [POPUG-42] Wash the cage."),
        error_messages={"required": TEXT_ERRORS["empty"]},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    description = DescriptionField(
        label=_("Description"),
        help_text=_("Plain text; addresses become links."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )


class PickingTaskForm(TaskForm):
    """For managers and admins, who may pick the worker (T2)."""

    assignee: Any = forms.ModelChoiceField(
        label=_("Assignee"),
        queryset=None,
        required=False,
        empty_label=_("A random worker"),
        help_text=_("Whoever gets the task is charged its fee."),
        error_messages={"invalid_choice": _("That person is not an active worker. Pick another one.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["assignee"]
        field.queryset = selectors.workers().order_by("full_name", "id")


class EditForm(TaskForm):
    """The version of the task that the form was made from comes along (T8)."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput(attrs={"data-draft": True}))

    @classmethod
    def of(cls, task: Task) -> "EditForm":
        return cls(initial={"title": str(task), "description": task.description, "version": task.version})

    def made_again_from(self, task: Task) -> "EditForm":
        """The same text as typed, in a form made from the task as it is now."""
        return EditForm({**self.data.dict(), "version": task.version})


class CompleteForm(OneTimeForm):
    """The done button: the assignment that the page showed comes along."""

    assignment_no = forms.IntegerField(min_value=1)


class ReopenForm(OneTimeForm):
    """Undo and reopen: the completion that the page showed comes along."""

    completion_no = forms.IntegerField(min_value=1)
    reason = forms.CharField(required=False, max_length=domain.NOTE_MAX)


class ReassignForm(OneTimeForm):
    """Its key is the id of the run; `again` says that one is wanted so soon after another."""

    again = forms.BooleanField(required=False)
