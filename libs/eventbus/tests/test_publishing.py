"""Publishing: the outbox belongs to the transaction."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from sample.published import EPOCH, bank, order

import eventbus
from eventbus import Event, InvalidEvent, event_id, publish, publish_many
from eventbus.catalogue import Catalogue, read_schema
from eventbus.codec import MAX_KEY_BYTES, MAX_VALUE_BYTES
from eventbus.conf import conf
from eventbus.event import new_id
from eventbus.models import OutboxRow
from eventbus.outbox import CHANNEL
from eventbus.relay import database_address
from eventbus.testing import published


def publish_and_fail() -> None:
    publish(order("OrderPlaced"))
    raise LookupError


@pytest.fixture
def listening(transactional_db: None):
    """A connection that hears the relay's wake-up."""
    with psycopg.connect(**database_address(), autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        yield lambda: len(list(listener.notifies(timeout=0.2)))


def test_a_rolled_back_request_publishes_nothing_and_wakes_nobody(listening):
    with pytest.raises(LookupError), transaction.atomic():
        publish_and_fail()
    assert not OutboxRow.objects.exists()
    assert listening() == 0


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_of_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError, match="atomic"):
        publish(order("OrderPlaced"))


def test_the_relay_is_woken_once_after_the_commit(listening):
    with transaction.atomic():
        publish(order("OrderPlaced"))
        publish(order("OrderShipped"))
        with transaction.atomic():
            publish(order("OrderShipped"))
        assert listening() == 0
    assert listening() == 1


def test_the_relay_is_woken_although_an_inner_block_was_rolled_back(listening):
    with transaction.atomic():
        with pytest.raises(LookupError), transaction.atomic():
            publish_and_fail()
        publish(order("OrderShipped"))
    assert listening() == 1
    assert [event.name for event in published()] == ["OrderShipped"]


@pytest.mark.django_db
def test_ids_rise_in_the_order_of_publishing():
    publish_many(order("OrderPlaced", f"o{number}", number) for number in range(300))
    assert [event.data["number"] for event in published()] == list(range(300))


@pytest.mark.django_db
def test_publishing_nothing_is_allowed():
    publish_many([])
    assert not OutboxRow.objects.exists()


def changed(**data) -> Event:
    event = order("OrderPlaced")
    return Event(name="OrderPlaced", version=1, key="o1", time=EPOCH, data={**event.data, **data})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event(name="Nothing", version=1, key="o1", time=EPOCH, data={}), "not among the schemas"),
        (Event(name="OrderPlaced", version=9, key="o1", time=EPOCH, data={}), "not among the schemas"),
        (bank("PaymentMade"), "written by bank"),
        (order("OrderPlaced", key=""), "key"),
        (order("OrderPlaced", key="k" * (MAX_KEY_BYTES + 1)), "key"),
        (order("OrderPlaced", key="a\x00b"), "zero"),
        (changed(order_id="other"), "key"),
        (changed(number=1.5), "whole number"),
        (changed(number=True), "whole number"),
        (changed(number=2**63), "large"),
        (changed(text=7), "string"),
        (changed(surprise=1), "more fields"),
        (order("OrderPlaced", time=datetime(2026, 3, 2)), "time zone"),  # noqa: DTZ001
        (order("OrderPlaced", text="x" * MAX_VALUE_BYTES), "bytes"),
        (Event(name="OrderPlaced", version=1, key="o1", time=EPOCH, data={"order_id": "o1"}), "missing"),
    ],
)
def test_an_event_that_does_not_fit_fails_the_request(event, reason):
    with pytest.raises(InvalidEvent, match=reason):
        publish(event)
    assert not OutboxRow.objects.exists()


@pytest.mark.django_db
def test_fields_with_defaults_may_be_left_out():
    publish(Event(name="OrderPlaced", version=1, key="o1", time=EPOCH, data={"order_id": "o1", "number": 1}))
    assert published()[0].data == {"order_id": "o1", "number": 1, "text": ""}


def test_an_event_caused_by_an_event_has_the_same_id_each_time():
    assert event_id("fee:1") == event_id("fee:1") != event_id("fee:2")
    assert event_id("fee:1").version == 5


def test_new_ids_are_of_version_7_and_start_with_the_time():
    found = [new_id() for _ in range(3)]
    assert len(set(found)) == 3
    assert {(one.version, one.variant) for one in found} == {(7, UUID(int=0x8 << 60).variant)}
    assert abs((found[0].int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 5


@pytest.mark.django_db
def test_the_trace_is_not_made_up():
    publish(order("OrderPlaced"))
    assert OutboxRow.objects.get().traceparent == ""


def test_the_public_api_is_the_package_root():
    for name in eventbus.__all__:
        assert getattr(eventbus, name).__name__ == name
    with pytest.raises(AttributeError, match="no wonder"):
        eventbus.wonder  # noqa: B018


def test_settings_that_nobody_knows_are_refused(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"SERVIS": "shop"}
    with pytest.raises(ImproperlyConfigured, match="servis"):
        conf()


def test_settings_without_a_service_are_refused(settings):
    settings.EVENTBUS = {}
    with pytest.raises(ImproperlyConfigured, match="SERVICE"):
        conf()


def test_a_schema_without_the_buss_attributes_is_refused(tmp_path):
    path = tmp_path / "1.avsc"
    path.write_text('{"type": "record", "name": "Bare", "fields": []}')
    with pytest.raises(ImproperlyConfigured, match=r"1\.avsc"):
        read_schema(path)


def test_a_topic_has_one_writer(tmp_path):
    text = (conf().schemas / "shop" / "order_placed" / "1.avsc").read_text()
    for name, writer in (("one", "shop"), ("two", "bank")):
        folder = tmp_path / "shop" / name
        folder.mkdir(parents=True)
        (folder / "1.avsc").write_text(
            text.replace('"producer": "shop"', f'"producer": "{writer}"').replace("Placed", name)
        )
    with pytest.raises(ImproperlyConfigured, match="two writers"):
        Catalogue(tmp_path)


@pytest.mark.django_db
def test_the_outbox_is_vacuumed_by_number_of_rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'eventbus_outbox'")
        assert "autovacuum_vacuum_threshold=10000" in cursor.fetchone()[0]


@pytest.mark.django_db
def test_received_events_keep_microseconds():
    moment = EPOCH + timedelta(microseconds=123456)
    publish(order("OrderPlaced", time=moment))
    assert published()[0].time == moment


@pytest.mark.parametrize("shards", [0, 65])
def test_a_number_of_shards_that_no_relay_could_hold_is_refused(settings, shards):
    settings.EVENTBUS = settings.EVENTBUS | {"SHARDS": shards}
    with pytest.raises(ImproperlyConfigured, match=f"not {shards}"):
        conf()
