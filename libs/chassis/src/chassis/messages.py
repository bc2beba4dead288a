"""What a page says once: "Saved.", "The correction is posted"."""

from collections.abc import Callable
from typing import Any

from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpResponseBase


class MessageStorage(SessionStorage):
    """Django's, but of requests answered at the same time none loses what another one says.

    Django's keeps the whole session as it was when the request began, so that the last answer wins. This one changes
    the messages alone, in the session's locked row, and says the same thing once: a form that is sent twice is
    answered once. Where the session is saved anyhow, as at signing in, messages go with it.
    """

    _queued_messages: list[Message]
    _prepare_messages: Callable[[list[Message]], None]

    def update(self, response: HttpResponseBase) -> list[Message] | None:
        """Keep what was said and not shown yet, and nothing of what was shown."""
        self._prepare_messages(self._queued_messages)
        shown = self._in(self.request.session) if self.used else []
        if not shown and not self._queued_messages:
            return []
        if self.request.session.modified or not self._changed_in_its_row(shown):
            return super().update(response)
        return []

    @transaction.atomic
    def _changed_in_its_row(self, shown: list[Message]) -> bool:
        """False if there is no such session, not yet or no longer."""
        session = self.request.session
        row = Session.objects.select_for_update().filter(session_key=session.session_key).first()
        if row is None:
            return False
        data = row.get_decoded()
        kept = [message for message in self._in(data) if message not in shown]
        kept += [message for message in self._queued_messages if message not in kept]
        data[self.session_key] = self.serialize_messages(kept)
        row.session_data = session.encode(data)
        row.save(update_fields=["session_data"])
        return True

    def _in(self, data: Any) -> list[Message]:
        return self.deserialize_messages(data.get(self.session_key)) or []
