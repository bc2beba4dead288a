"""One-time form keys: a form sent twice has one effect, and both see the first result."""

import json
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from chassis.models import FormKey

SENT_BEFORE = _(
    "This form was sent before: with something else in it, or what it did was changed since. Nothing of what it says "
    "now was done: send it once more to do it."
)
PRESSED_BEFORE = _(
    "This button was pressed before, and what it did was changed since. Nothing was done now: press it once more."
)


class SentBefore(Exception):
    """The key was used before, with other content or for what stands no more: what is sent now was not done.

    `url` is where the first sending led.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class OneTimeForm(forms.Form):
    """Mixin for a form that creates or moves something: a hidden key, fresh each time the form is shown anew."""

    form_key = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid4,
        error_messages=dict.fromkeys(
            ("required", "invalid"), _("This form is not complete. Load the page again and send it once more.")
        ),
    )

    def sent(self) -> str:
        """A digest of what was sent besides the key, for `once`. Not for forms with a password, which say by `stands`
        whether it is the one that holds."""
        fields = {name: self[name].data for name in sorted(self.fields) if name != "form_key"}
        return sha256(json.dumps(fields, default=str).encode()).hexdigest()

    def once(
        self,
        *,
        kind: str,
        actor_id: UUID | None,
        effect: Callable[[], str],
        stands: Callable[[], bool] | None = None,
    ) -> str:
        """`once` with this valid form's key and content. Not for forms with a password, as `sent`."""
        key, sent = self.cleaned_data["form_key"], self.sent()
        return once(key=key, kind=kind, actor_id=actor_id, effect=effect, sent=sent, stands=stands)

    def sent_before(self, field: str | None = None) -> None:
        """After SentBefore: the same text under a key of its own, with an error that says so."""
        data: Any = self.data
        data = data.copy()
        data[self.add_prefix("form_key")] = str(uuid4())
        self.data = data
        self.add_error(field, SENT_BEFORE)


@transaction.atomic
def once(
    *,
    key: UUID,
    kind: str,
    actor_id: UUID | None,
    effect: Callable[[], str],
    sent: str = "",
    stands: Callable[[], bool] | None = None,
) -> str:
    """Runs `effect` in one transaction with its key and returns the URL that it returned.

    A repetition returns the first URL without running it; a concurrent one waits for the first to end, and runs if
    that one was rolled back. Raises PermissionDenied if the key was used by somebody else or for something else.
    Raises SentBefore if it was used with other content, where both say what they `sent`, or if what it did no longer
    `stands`: the first answer would tell of something that is not so.
    """
    if _taken(key=key, kind=kind, actor_id=actor_id, sent=sent):
        url = effect()
        FormKey.objects.filter(pk=key).update(url=url)
        return url
    # A statement of its own: the one that waited still reads with the snapshot from before the wait.
    first = FormKey.objects.get(pk=key)
    if (first.kind, first.actor_id) != (kind, actor_id):
        raise PermissionDenied("This form's key belongs to another form.")
    if (sent and first.sent not in ("", sent)) or (stands and not stands()):
        raise SentBefore(first.url)
    return first.url


def _taken(*, key: UUID, kind: str, actor_id: UUID | None, sent: str) -> bool:
    """Whether this call is the first with the key; waits for a concurrent one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chassis_form_key (key, kind, actor_id, sent, url, created_at)"
            " VALUES (%s, %s, %s, %s, '', statement_timestamp()) ON CONFLICT (key) DO NOTHING",
            [key, kind, actor_id, sent],
        )
        return bool(cursor.rowcount == 1)


def forget_before(moment: datetime) -> int:
    """Deletes keys first used before the moment; returns how many."""
    deleted, _ = FormKey.objects.filter(created_at__lt=moment).delete()
    return deleted
