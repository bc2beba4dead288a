"""One-time form keys: a form sent twice has one effect, and both see the first result."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from chassis.models import FormKey


class OneTimeForm(forms.Form):
    """Mixin for a form that creates or moves something: a hidden key, fresh each time the form is shown anew."""

    form_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


@transaction.atomic
def once(*, key: UUID, kind: str, actor_id: UUID | None, effect: Callable[[], str]) -> str:
    """Runs `effect` in one transaction with its key and returns the URL that it returned.

    A repetition returns the first URL without running it; a concurrent one waits for the first to end, and runs if
    that one was rolled back. Raises PermissionDenied if the key was used by somebody else or for something else.
    """
    if _taken(key=key, kind=kind, actor_id=actor_id):
        url = effect()
        FormKey.objects.filter(pk=key).update(url=url)
        return url
    # A statement of its own: the one that waited still reads with the snapshot from before the wait.
    first = FormKey.objects.get(pk=key)
    if (first.kind, first.actor_id) != (kind, actor_id):
        raise PermissionDenied("This form's key belongs to another form.")
    return first.url


def _taken(*, key: UUID, kind: str, actor_id: UUID | None) -> bool:
    """Whether this call is the first with the key; waits for a concurrent one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chassis_form_key (key, kind, actor_id, url, created_at)"
            " VALUES (%s, %s, %s, '', statement_timestamp()) ON CONFLICT (key) DO NOTHING",
            [key, kind, actor_id],
        )
        return bool(cursor.rowcount == 1)


def forget_before(moment: datetime) -> int:
    """Deletes keys first used before the moment; returns how many."""
    deleted, _ = FormKey.objects.filter(created_at__lt=moment).delete()
    return deleted
