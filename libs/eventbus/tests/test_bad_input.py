"""Records that may not be believed, and a registry that is away, rebuilt or knows more than we do."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sample.models import Effect
from sample.published import EPOCH, bank

from eventbus import dead_letters
from eventbus.catalogue import catalogue
from eventbus.codec import SHA256_HEADER, Record, decode, fixed_headers, frame
from eventbus.conf import conf
from eventbus.errors import Rejected, TransientError
from eventbus.memory import MemoryBus
from eventbus.models import CachedSchema, DeadLetter
from eventbus.registry import CachedIds, FixedIds, Registry, RegistryAway, RegistryRefused
from eventbus.testing import deliver, wire

NOBODY = "http://127.0.0.1:9/apis/ccompat/v7"  # the discard port: refused at once


def record(event, *, ids=None, **changes) -> Record:
    topic, key, value, headers = wire(event, ids or FixedIds())
    fields = {"topic": topic, "key": key, "value": value, "headers": headers} | changes
    return Record(partition=0, offset=0, timestamp=round(EPOCH.timestamp() * 1000), **fields)


def reason(found: Record, ids=None) -> str:
    with pytest.raises(Rejected) as error:
        decode(found, ids or FixedIds())
    return error.value.reason


def schema(name: str, version: int = 1):
    return catalogue().by_version[name, version]


def body(event) -> bytes:
    return wire(event, FixedIds())[2][5:]


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x01\x00\x00\x00\x01abc", b"\x00\x00\x00\x00"])
def test_a_value_that_does_not_start_with_a_schema_id_is_malformed(value):
    assert reason(record(bank("PaymentMade"), value=value)) == "malformed"


def test_a_cut_off_body_is_malformed():
    good = record(bank("PaymentMade"))
    assert reason(good._replace(value=good.value[:-3])) == "malformed"


def test_left_over_bytes_are_malformed():
    good = record(bank("PaymentMade"))
    assert reason(good._replace(value=good.value + b"x")) == "malformed"


@pytest.mark.parametrize("found", [b"zz", b"\xff\xfe", None])
def test_a_fingerprint_that_is_none_is_malformed(found):
    assert reason(record(bank("PaymentMade"), headers=[(SHA256_HEADER, found)])) == "malformed"


def test_an_event_id_that_is_no_uuid_is_malformed():
    good = record(bank("PaymentMade"))
    assert reason(good._replace(value=good.value[:10] + b"?" + good.value[11:])) == "malformed"


def test_a_name_that_is_not_the_schemas_is_rejected():
    """A registry rebuilt from nothing gives ids anew: a completion must never be read as a reopening."""
    made, cancelled = bank("PaymentMade"), schema("PaymentCancelled")
    start = frame(FixedIds().id_of(cancelled), b"")
    headers = fixed_headers(cancelled)
    assert reason(record(made, value=start + body(made), headers=headers)) == "wrong_name"


def test_another_producers_record_is_rejected():
    good = record(bank("PaymentMade"))
    assert reason(good._replace(value=good.value.replace(b"\x08bank", b"\x08shop"))) == "other_producer"


def test_an_event_on_another_topic_is_rejected():
    assert reason(record(bank("PaymentMade"), topic="orders")) == "wrong_topic"


@pytest.mark.parametrize("key", [b"", None, b"a2", b"\xff"])
def test_a_key_that_is_not_the_datas_is_rejected(key):
    assert reason(record(bank("PaymentMade"), key=key)) in {"wrong_key", "malformed"}


def test_an_id_out_of_the_catalogue_is_unknown():
    good = record(bank("PaymentMade"))
    assert reason(good._replace(value=frame(999, body(bank("PaymentMade"))))) == "unknown_schema"
    assert reason(good._replace(value=frame(1, b"x"))) == "other_schema"


@pytest.mark.django_db
@pytest.mark.parametrize("value", [b"junk", b"\x00\x00\x00\x03\xe7junk"])
def test_rejected_records_stand_alone_and_hold_back_nobody(value):
    bus = MemoryBus()
    topic, key, _, headers = wire(bank("PaymentMade"), FixedIds())
    bus.send(topic, key, value, [*headers, ("odd", b"\x00\xff"), ("none", None)])
    bus.send(*wire(bank("PaymentMade", number=2), FixedIds()))
    bus.consume("payments")
    assert Effect.objects.get().number == 2
    letter = DeadLetter.objects.get()
    assert (letter.sequence_key, letter.event_id) == ("", None)
    assert dead_letters.record_of(letter).headers == [*headers, ("odd", b"\x00\xff"), ("none", b"")]
    assert dead_letters.content(letter) is None
    assert dead_letters.retry(letter.pk, by="me").error
    dead_letters.discard(letter.pk, by="me", reason="junk")
    assert dead_letters.open_dead_letters() == 0


@pytest.mark.django_db
def test_a_rejected_record_that_can_be_read_by_now_is_applied_once():
    event = bank("PaymentMade", number=5)
    good = record(event)
    bus = MemoryBus()
    bus.send(good.topic, good.key, frame(999, body(event)), good.headers)
    bus.send(good.topic, good.key, frame(998, body(event)), good.headers)
    bus.consume("payments")
    first, second = DeadLetter.objects.order_by("id")
    assert first.reason == "unknown_schema"
    assert dead_letters.retry(first.pk, by="me").applied == 1
    assert dead_letters.retry(second.pk, by="me").applied == 1
    assert Effect.objects.get().number == 5


@pytest.mark.django_db
def test_a_letter_that_nobody_handles_any_more_stays_dead():
    deliver("payments", [bank("PaymentMade", text="poison")])
    letter = DeadLetter.objects.get()
    letter.group.name = "shop.gone"
    letter.group.save()
    assert "does not handle" in dead_letters.retry(letter.pk, by="me").error


# The registry


@pytest.mark.django_db
def test_cached_ids_do_without_the_registry(cached_ids):
    good = record(bank("PaymentMade"), ids=cached_ids)
    restarted = CachedIds(registry=Registry(NOBODY))
    assert decode(good, restarted).name == "PaymentMade"
    assert restarted.id_of(schema("PaymentMade")) == cached_ids.id_of(schema("PaymentMade"))


@pytest.mark.django_db
def test_an_unknown_id_and_no_registry_is_transient():
    with pytest.raises(RegistryAway) as error:
        decode(record(bank("PaymentMade")), CachedIds(registry=Registry(NOBODY)))
    assert isinstance(error.value, TransientError)


@pytest.mark.django_db
def test_an_unknown_id_is_learned_from_the_registry_and_kept(registered, servers):
    ids = {text: schema_id for schema_id, text in registered}
    found = schema("PaymentMade")
    good = record(bank("PaymentMade"))._replace(value=frame(ids[found.text], body(bank("PaymentMade"))))
    assert decode(good, CachedIds()).name == "PaymentMade"
    assert decode(good, CachedIds(registry=Registry(NOBODY))).name == "PaymentMade"


@pytest.mark.django_db
def test_an_id_unknown_to_the_registry_is_a_dead_letter():
    good = record(bank("PaymentMade"))
    assert reason(good._replace(value=frame(2_000_000_000, body(bank("PaymentMade")))), CachedIds()) == "unknown_schema"


@pytest.mark.django_db
def test_an_id_that_means_another_schema_by_now_is_not_read_by_the_cache(cached_ids):
    """The cache says PaymentCancelled, the record was written as PaymentMade, the registry knows it as that."""
    made = cached_ids.id_of(schema("PaymentMade"))
    CachedSchema.objects.filter(id=made).update(sha256=schema("PaymentCancelled").sha256)
    good = record(bank("PaymentMade"), value=frame(made, body(bank("PaymentMade"))))
    assert decode(good, CachedIds()).name == "PaymentMade"
    assert bytes(CachedSchema.objects.get(id=made).sha256) == schema("PaymentMade").sha256


@pytest.mark.django_db
def test_an_id_that_means_another_schema_to_the_registry_is_a_dead_letter(cached_ids):
    cancelled = cached_ids.id_of(schema("PaymentCancelled"))
    good = record(bank("PaymentMade"), value=frame(cancelled, body(bank("PaymentMade"))))
    assert reason(good, CachedIds()) == "other_schema"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type": "record", "name": "PaymentMade", "namespace": "sample.bank", "fields": []}', "unknown_version"),
        ('{"type": "record", "name": "PaymentForgotten", "namespace": "sample.bank", "fields": []}', "unknown_event"),
        ('"string"', "unknown_event"),
    ],
)
def test_a_schema_without_a_frozen_file_is_a_dead_letter(cached_ids, text, expected):
    sha256 = cached_ids.remember(1_999_999_999, text)
    headers = [(SHA256_HEADER, sha256.hex().encode())]
    found = record(bank("PaymentMade"), value=frame(1_999_999_999, b"anything"), headers=headers)
    assert reason(found, CachedIds(registry=Registry(NOBODY))) == expected


def test_deployments_that_register_at_the_same_time_do_not_refuse_each_other(own_prefix, servers):
    registry, schemas, together = Registry(conf().registry_url), catalogue().schemas, Barrier(8)

    def deploy(_: int) -> list[int]:
        return [registry.register(each) for each in schemas if together.wait(30) >= 0]

    with ThreadPoolExecutor(max_workers=8) as pool:
        runs = list(pool.map(deploy, range(8)))
    assert all(run == runs[0] for run in runs)


@pytest.mark.django_db
def test_the_id_to_write_with_is_looked_up_and_none_where_it_is_not_registered(registered, own_prefix):
    assert CachedIds().id_of(schema("OrderPlaced")) is None
    registry_id = Registry(conf().registry_url).register(schema("OrderPlaced"))
    assert CachedIds().id_of(schema("OrderPlaced")) == registry_id
    assert CachedSchema.objects.get().id == registry_id


def test_the_registry_refuses_what_is_incompatible(own_prefix):
    registry = Registry(conf().registry_url)
    good = schema("PaymentMade", 1)
    registry.register(good)
    with pytest.raises(RegistryRefused):
        registry.register(replace(good, text=good.text.replace('"number"', '"amount"')))


def test_a_registry_that_errs_is_away():
    with pytest.raises(RegistryAway):
        Registry(NOBODY).lookup(schema("OrderPlaced"))
