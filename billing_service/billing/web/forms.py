"""Filters and forms of billing's pages."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.domain import REASON_MOST, REASON_SEEN
from billing.models import Task, Transfer
from billing.selectors.people import correctable, takes_corrections
from billing.selectors.search import find_entries, find_tasks, find_workers, uuid_in
from chassis.form_keys import OneTimeForm
from chassis.money import CentsField, format_cents
from chassis.replica.models import Account
from chassis.texts import seen

MOST_CHOICES = 8


class StatementFilter(forms.Form):
    """The entries of one day."""

    day = forms.DateField(
        required=False, label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class NewsForm(forms.Form):
    """The number of the newest entry that somebody sees."""

    since = forms.IntegerField(min_value=0)


class WorkerFilter(forms.Form):
    """All, or those who left with a balance."""

    show = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Show"),
        choices=[("", gettext_lazy("everybody")), ("left", gettext_lazy("left"))],
    )


class PersonFilter(forms.Form):
    """What concerns one worker."""

    worker = forms.UUIDField(required=False, label=gettext_lazy("Worker"))


class SearchForm(forms.Form):
    """What somebody looks for, and in which of the groups."""

    GROUPS = ("workers", "tasks", "entries")

    q = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Worker, task, Jira id or entry"),
        widget=forms.TextInput(attrs={"type": "search", "autofocus": True}),
    )
    group = forms.ChoiceField(required=False, choices=[("", ""), *((name, name) for name in GROUPS)])


class CloseForm(OneTimeForm):
    """The button that closes a due cycle."""


class AmountField(CentsField):
    """An amount as people write it: plain digits, and a point before at most two more. `1e2` is nobody's amount."""

    WRITTEN = re.compile(r"[0-9]+(\.[0-9]{1,2})?")

    def __init__(self, *, max_cents: int, **kwargs: Any) -> None:
        messages = {
            "required": _("Say how much."),
            "invalid": _("An amount is digits, with a point for cents: 12.50."),
            "min_value": _("At least %(least)s.") % {"least": format_cents(1)},
            "max_value": _("At most %(most)s.") % {"most": format_cents(max_cents)},
        }
        super().__init__(max_cents=max_cents, error_messages=messages, **kwargs)

    def to_python(self, value: Any) -> Any:
        """The number; raises ValidationError for all that is not written so."""
        text = str(value).strip() if value is not None else ""
        if text and not self.WRITTEN.fullmatch(text):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(text)


class ReasonForm(OneTimeForm):
    """Why an entry is answered by its opposite."""

    reason = forms.CharField(
        min_length=REASON_SEEN,
        max_length=REASON_MOST,
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("10 to 500 characters; the worker reads it on the statement."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_reason(self) -> str:
        """The reason, of which enough can be seen."""
        reason: str = self.cleaned_data["reason"]
        if len(seen(reason)) < REASON_SEEN:
            raise ValidationError(
                _("A reason has at least %(least)s characters that one sees.") % {"least": REASON_SEEN}
            )
        return reason


class CorrectionForm(ReasonForm):
    """A correction by `actor_id`: for whom, which way, how much, why, and what it is about (B6)."""

    PAY, TAKE = "pay", "take"

    worker = forms.CharField(
        max_length=320,
        label=gettext_lazy("Worker"),
        help_text=gettext_lazy("Name or e-mail address."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "people"}),
    )
    direction = forms.ChoiceField(
        choices=[(PAY, gettext_lazy("pay to the worker")), (TAKE, gettext_lazy("take from the worker"))],
        label=gettext_lazy("Direction"),
        widget=forms.RadioSelect,
    )
    about = forms.CharField(
        required=False,
        max_length=500,
        label=gettext_lazy("Entry or task"),
        help_text=gettext_lazy("Id or address of an entry or a task, or a Jira id."),
    )
    field_order = ("worker", "direction", "amount", "reason", "about")

    def __init__(self, *args: Any, actor_id: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor_id = actor_id
        limit = settings.CORRECTION_LIMIT
        self.fields["amount"] = AmountField(
            max_cents=limit,
            label=_("Amount"),
            help_text=_("Up to %(limit)s, at most two decimals.") % {"limit": format_cents(limit)},
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        )
        self.order_fields(self.field_order)
        self._call_by_address()
        self.choices: list[Account] = []  # who else could be meant
        self.account: Account | None = None
        self.entry: Transfer | None = None
        self.task: Task | None = None

    def _call_by_address(self) -> None:
        """A worker who is given by id is shown by what people call an account by."""
        given = (self.data if self.is_bound else self.initial).get("worker", "")
        account = Account.objects.filter(id=uuid_in(str(given))).first() if uuid_in(str(given)) else None
        if account is None or not account.email:
            return
        if self.is_bound:
            self.data = {**self.data.dict(), "worker": account.email}
        else:
            self.initial["worker"] = account.email

    def clean_worker(self) -> UUID:
        """The one account that is meant, a worker's and not one's own; several are offered as choices."""
        text = self.cleaned_data["worker"]
        people = find_workers(text)
        exactly = people.filter(email__iexact=text)
        people = exactly if exactly.exists() else people
        found = list(correctable(people, by=self.actor_id)[: MOST_CHOICES + 1])
        if not found and (id_ := uuid_in(text)) and takes_corrections(id_, by=self.actor_id):
            found = [Account(id=id_)]  # nothing but a ledger account is known of this person
        if not found:
            raise ValidationError(self._why_nobody(people))
        if len(found) > 1:
            self.choices = found[:MOST_CHOICES]
            raise ValidationError(_("Several people are called so: choose one of them."))
        self.account = found[0]
        return self.account.id

    def _why_nobody(self, people: QuerySet[Account]) -> str:
        """Why none of the people who are called so can be corrected."""
        if people.exclude(id=self.actor_id).exists():
            return _("Only workers, and whoever has a statement already, can be corrected.")
        if people.exists():
            return _("This is your own account: a colleague of finance has to post it.")
        return _("Nobody is called so. Try the e-mail address, or a part of the name.")

    def clean_about(self) -> str:
        """The entry or the task that is meant, if any."""
        text = str(self.cleaned_data["about"]).strip()
        if not text:
            return ""
        self.entry = find_entries(text).first()
        if self.entry is not None:
            self.task = Task.objects.filter(id=self.entry.task_id).first() if self.entry.task_id else None
            return str(self.entry.id)
        tasks = list(find_tasks(text)[:2])
        if len(tasks) != 1:
            raise ValidationError(
                _("There is no entry or task like this.") if not tasks else _("Several tasks are like this.")
            )
        self.task = tasks[0]
        return str(self.task.id)

    def clean(self) -> dict[str, Any]:
        """An entry that a correction is about belongs to the worker whom it pays."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if self.account and self.entry and self.entry.account_id != self.account.id:
            self.add_error("about", _("That entry is another worker's."))
        return values

    @property
    def change(self) -> int:
        """What the balance changes by, in cents."""
        amount: int = self.cleaned_data["amount"]
        return amount if self.cleaned_data["direction"] == self.PAY else -amount
