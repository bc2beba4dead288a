"""What people do about dead letters: look, retry a key's sequence in order, discard with a reason."""

from collections.abc import Iterable
from collections.abc import Sequence as Listing
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from eventbus import inbox
from eventbus.catalogue import Schema, catalogue
from eventbus.codec import Record, decode, is_future, parse_sha256, unpack_headers
from eventbus.errors import Rejected
from eventbus.event import Event
from eventbus.models import DeadLetter, InboxRow, Sequence
from eventbus.positions import database_time
from eventbus.registry import CachedIds
from eventbus.subscription import Handler, subscriptions
from eventbus.tracing import following
from eventbus.transient import is_transient

OPEN = (DeadLetter.State.DEAD, DeadLetter.State.WAITING)
_AT_ONCE = 500  # letters of a sequence that are retried in one transaction


class NotOpen(LookupError):
    """There is no such dead letter, or it was decided about before."""


class StillDead(Exception):
    """A retried letter could not be applied again; the message says why."""


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry came to: how many letters were applied, how many of the sequence are left, and why it ended."""

    applied: int
    left: int
    error: str


def listing(*, after: int = 0, before: int = 0, size: int = 50, decided: bool = False) -> Listing[DeadLetter]:
    """The dead letters that somebody has to decide about, oldest first, with `waiting_behind`; or those `decided`
    about, newest first. They follow the letter `after` in that order, or lead up to the letter `before`."""
    found = DeadLetter.objects.exclude(state__in=OPEN).select_related("group") if decided else _heads()
    falling = decided != bool(before)
    if edge := before or after:
        found = found.filter(id__lt=edge) if falling else found.filter(id__gt=edge)
    rows = list(found.order_by("-id" if falling else "id")[:size])
    return rows[::-1] if before else rows


def _heads() -> QuerySet[DeadLetter]:
    behind = (
        DeadLetter.objects.filter(
            group=OuterRef("group"),
            topic=OuterRef("topic"),
            sequence_key=OuterRef("sequence_key"),
            state=DeadLetter.State.WAITING,
        )
        .order_by()
        .values("group")
        .annotate(count=Count("pk"))
        .values("count")
    )
    heads = DeadLetter.objects.filter(state=DeadLetter.State.DEAD).select_related("group")
    return heads.annotate(waiting_behind=Coalesce(Subquery(behind), 0)).order_by("id")


def newest() -> int:
    """The number of the newest dead letter, decided about or not; zero where there is none."""
    found: int | None = DeadLetter.objects.aggregate(newest=Max("id"))["newest"]
    return found or 0


def count_newer(number: int, *, most: int) -> int:
    """How many letters that somebody has to decide about came after the one of that number; `most` at most."""
    return DeadLetter.objects.filter(state=DeadLetter.State.DEAD, id__gt=number)[:most].count()


def open_dead_letters() -> int:
    """How many records are set aside or wait behind one of them: figures may be incomplete while there are any."""
    return DeadLetter.objects.filter(state__in=OPEN).count()


def dead_letters_of(keys: Iterable[str]) -> QuerySet[DeadLetter]:
    """All letters of these keys, decided or not, oldest first; by the record's own key where nothing else is readable.

    To be read and filtered, never changed. `about` says whose letter it is.
    """
    named = list(keys)
    of_records = Q(key__in=[key.encode() for key in named])
    return DeadLetter.objects.filter(Q(sequence_key__in=named) | of_records).order_by("id")


def sequence_of(letter: DeadLetter) -> QuerySet[DeadLetter]:
    """The open letters of the letter's key, in order; the letter alone if it holds back nobody."""
    if not letter.sequence_key:
        return DeadLetter.objects.filter(pk=letter.pk, state__in=OPEN)
    return DeadLetter.objects.filter(
        group_id=letter.group_id, topic=letter.topic, sequence_key=letter.sequence_key, state__in=OPEN
    ).order_by("id")


def content(letter: DeadLetter) -> Event | None:
    """The event in the letter, for people; None if it cannot be read, or was deleted."""
    if letter.value is None:
        return None
    try:
        return decode(record_of(letter), _FrozenIds())
    except Rejected:
        return None


def retry(pk: int, *, by: str) -> Retried:
    """Hand the letter, and all that wait with it, to their handlers again: in order, until one fails.

    One from the future is handed on once its time has come: by the database's clock, which a person then trusts.
    NotOpen if it was decided about; a transient error if it is to be tried later: nothing is done.
    """
    applied = 0
    while True:
        with transaction.atomic():
            letters = _lock(pk)
            done, error = _work_off(letters[:_AT_ONCE], by)
            applied += done
            left = len(letters) - done
            if left == 0:
                _close_sequence(letters[0])
        if error or left == 0:
            return Retried(applied, left, error)
        pk = letters[done].pk


def discard(pk: int, *, by: str, reason: str) -> None:
    """Decide that a letter is never applied. NotOpen if it was decided about; ValueError without a reason."""
    if not reason.strip():
        raise ValueError("A reason is needed.")
    with transaction.atomic():
        letters = _lock(pk)
        letter = next(letter for letter in letters if letter.pk == pk)
        _resolve(letter, DeadLetter.State.DISCARDED, by, reason.strip())
        left = [other for other in letters if other.pk != pk]
        if not left:
            _close_sequence(letter)
        elif left[0].state == DeadLetter.State.WAITING:
            DeadLetter.objects.filter(pk=left[0].pk).update(state=DeadLetter.State.DEAD)


def _lock(pk: int) -> list[DeadLetter]:
    """The open letters of the sequence that `pk` is in, held against the consumer and other people."""
    letter = DeadLetter.objects.filter(pk=pk).first()
    if letter is None:
        raise NotOpen(f"There is no dead letter {pk}.")
    if not letter.sequence_key:
        DeadLetter.objects.select_for_update().get(pk=pk)
    else:
        keys = {"group_id": letter.group_id, "topic": letter.topic, "key": letter.sequence_key}
        list(Sequence.objects.select_for_update().filter(**keys))
    # A second statement: it sees what was added while the first one waited.
    letters = list(sequence_of(letter))
    if pk not in {other.pk for other in letters}:
        raise NotOpen(f"Dead letter {pk} was decided about before.")
    return letters


def _work_off(letters: Listing[DeadLetter], by: str) -> tuple[int, str]:
    """Apply letters in order; returns how many, and why it ended before the last."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for done, letter in enumerate(letters):
        try:
            with transaction.atomic():
                _apply(letter)
                _resolve(letter, DeadLetter.State.APPLIED, by, "retried")
        except Exception as error:
            if is_transient(error):
                raise
            text = f"{type(error).__name__}: {error}" if not isinstance(error, StillDead | Rejected) else str(error)
            letter.error, letter.state = text.replace("\x00", "\\x00")[:10_000], DeadLetter.State.DEAD
            letter.attempts += 1
            letter.save(update_fields=["error", "state", "attempts"])
            return done, letter.error
    return len(letters), ""


def _apply(letter: DeadLetter) -> None:
    event = decode(record_of(letter), _FrozenIds())
    if is_future(event) and event.time > database_time():
        raise StillDead(_("Its time, %(time)s, has not come yet.") % {"time": event.time})
    handler = _handler(letter, event)
    with connection.cursor() as cursor:
        # One that stands alone never came as far as the inbox; its repetition may have.
        alone = not letter.sequence_key
        if alone and not inbox.remember(cursor, letter.group_id, [event.id]):
            return
    letter.event_id = event.id
    with following(f"retry {letter.group.name}", [event.traceparent]):
        handler([event])


def _handler(letter: DeadLetter, event: Event) -> Handler:
    for found in subscriptions().values():
        if found.group == letter.group.name and event.name in found.handlers:
            return found.handlers[event.name]
    told = _("%(consumer)s does not handle %(event)s.") % {"consumer": letter.group.name, "event": event.name}
    raise StillDead(told)


def _resolve(letter: DeadLetter, state: DeadLetter.State, by: str, resolution: str) -> None:
    DeadLetter.objects.filter(pk=letter.pk).update(
        state=state,
        resolved_at=Now(),
        resolved_by=by,
        resolution=resolution,
        attempts=letter.attempts + (state == DeadLetter.State.APPLIED),
    )
    if letter.event_id:
        applied = state == DeadLetter.State.APPLIED
        outcome = InboxRow.Outcome.APPLIED if applied else InboxRow.Outcome.DISCARDED
        inbox.set_outcome(letter.group_id, [letter.event_id], outcome)


def _close_sequence(letter: DeadLetter) -> None:
    if letter.sequence_key:
        Sequence.objects.filter(group_id=letter.group_id, topic=letter.topic, key=letter.sequence_key).delete()


def record_of(letter: DeadLetter) -> Record:
    """The record as it came."""
    return Record(
        letter.topic,
        letter.partition,
        letter.offset,
        None if letter.key is None else bytes(letter.key),
        None if letter.value is None else bytes(letter.value),
        unpack_headers(bytes(letter.headers)),
        round(letter.received_at.timestamp() * 1000),
    )


class _FrozenIds:
    """The record's sha256 names the frozen file, whatever the registry says about its id by now."""

    def schema(self, schema_id: int, sha256: bytes) -> Schema:
        """As CachedIds does, which is asked where there is no file."""
        return catalogue().by_sha256.get(parse_sha256(sha256)) or CachedIds().schema(schema_id, sha256)
