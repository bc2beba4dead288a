"""The commands of operators and deployments."""

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from buses import Kafka, until
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from sample import consumed
from sample.models import Effect, Order
from sample.published import bank, order

from dev.ports import free
from eventbus import dead_letters, publish
from eventbus.conf import conf
from eventbus.kafka import client_settings, consumer_settings, producer_settings
from eventbus.models import CachedSchema, DeadLetter, OutboxRow
from eventbus.subscription import Subscription, subscription
from eventbus.testing import deliver, published
from eventbus.topics import create_topics, wanted_topics


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def config_of(kafka, topic: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, conf().topic_prefix + topic)
    (future,) = kafka.admin.describe_configs([resource]).values()
    return {name: entry.value for name, entry in future.result().items()}


# Deployment


def test_topics_get_the_settings_that_their_names_imply(own_prefix, transactional_db):
    kafka = Kafka(make_topics=False)
    created = create_topics()
    assert own_prefix + "shop.payments.dlq" in created
    assert create_topics() == []
    assert config_of(kafka, "orders-stream")["cleanup.policy"] == "compact"
    orders = config_of(kafka, "orders")
    assert (orders["cleanup.policy"], orders["retention.ms"]) == ("delete", "7776000000")
    assert {config_of(kafka, topic)["message.timestamp.type"] for topic in ("orders", "orders-stream")} == {
        "LogAppendTime"
    }
    assert len(kafka.admin.list_topics(timeout=10).topics[own_prefix + "orders"].partitions) == 12
    kafka.delete(*wanted_topics())


def test_settings_that_were_changed_by_hand_are_put_right(kafka):
    entry = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, conf().topic_prefix + "orders", incremental_configs=[entry])
    for future in kafka.admin.incremental_alter_configs([resource]).values():
        future.result()
    until(lambda: config_of(kafka, "orders")["retention.ms"] == "1000")
    assert run("create_topics") == "All topics are there.\n"
    until(lambda: config_of(kafka, "orders")["retention.ms"] == "7776000000")


def test_every_client_gets_the_settings_of_the_installation(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"CLIENT_SETTINGS": {"security.protocol": "ssl"}}
    for found in (client_settings(), producer_settings(0), consumer_settings("shop.payments")):
        assert found["security.protocol"] == "ssl"


def test_register_schemas_registers_under_full_transitive_and_caches_the_ids(kafka):
    CachedSchema.objects.all().delete()
    assert run("register_schemas") == "9 schemas are registered.\n"
    assert run("register_schemas") == "9 schemas are registered.\n"
    assert CachedSchema.objects.count() == 9
    subject = quote(f"{conf().topic_prefix}orders-sample.shop.OrderPlaced", safe="")
    with urlopen(f"{conf().registry_url}/config/{subject}") as response:
        assert json.load(response)["compatibilityLevel"] == "FULL_TRANSITIVE"


def test_register_schemas_says_which_schema_is_refused(kafka, settings, tmp_path):
    run("register_schemas")
    text = (conf().schemas / "bank" / "payment_made" / "2.avsc").read_text()
    folder = tmp_path / "bank" / "payment_made"
    folder.mkdir(parents=True)
    (folder / "3.avsc").write_text(text.replace('"number"', '"amount"').replace('"version": 2', '"version": 3'))
    settings.EVENTBUS = settings.EVENTBUS | {"SCHEMAS": tmp_path, "CONSUMERS": None}
    with pytest.raises(CommandError, match=r"PaymentMade version 3 is refused"):
        run("register_schemas")


def test_register_schemas_says_that_the_registry_is_away(kafka, settings):
    settings.EVENTBUS = settings.EVENTBUS | {"REGISTRY_URL": "http://127.0.0.1:9"}
    with pytest.raises(CommandError, match="does not answer"):
        run("register_schemas")


@pytest.mark.django_db
def test_the_present_state_is_published_anew():
    Order.objects.bulk_create([Order(id=f"o{number}", number=number) for number in range(3)])
    assert run("republish_state", "orders-stream") == "Published 3 states.\n"
    assert [event.key for event in published("OrderState")] == ["o0", "o1", "o2"]
    with pytest.raises(CommandError, match="orders-stream"):
        run("republish_state", "orders")


def test_a_consumer_of_an_event_without_a_schema_is_refused():
    with pytest.raises(ImproperlyConfigured, match="Nowhere"):
        assert Subscription("odd", {"Nowhere": print}).topics
    with pytest.raises(ImproperlyConfigured, match="No consumer 'odd'"):
        subscription("odd")


# Dead letters


def dead_letter() -> DeadLetter:
    deliver("payments", [bank("PaymentMade", number=1, text="poison"), bank("PaymentMade", number=2)])
    return DeadLetter.objects.earliest("id")


@pytest.mark.django_db
def test_dead_letters_are_listed_and_shown():
    letter = dead_letter()
    assert f"{letter.pk} " in run("dead_letters", "list")
    assert "(1 waiting behind)" in run("dead_letters", "list")
    shown = run("dead_letters", "show", str(letter.pk))
    assert "content: {'account_id': 'a1', 'number': 1, 'text': 'poison'}" in shown
    assert "decided: not yet" in shown
    DeadLetter.objects.filter(pk=letter.pk).update(value=b"junk")
    assert "content: 6a756e6b" in run("dead_letters", "show", str(letter.pk))
    with pytest.raises(CommandError, match="no dead letter"):
        run("dead_letters", "show", "4711")


@pytest.mark.django_db
def test_dead_letters_that_were_decided_about_are_listed_too():
    letter = dead_letter()
    assert "no such dead letter" in run("dead_letters", "list", "--decided")
    dead_letters.discard(letter.pk, by="me", reason="a test")
    assert "(discarded)" in run("dead_letters", "list", "--decided")
    assert f"{letter.pk} " in run("dead_letters", "list", "--decided")


@pytest.mark.django_db
def test_dead_letters_are_retried_one_or_all():
    letter = dead_letter()
    with pytest.raises(CommandError, match="1 of 1 failed again"):
        run("dead_letters", "retry", str(letter.pk))
    with pytest.raises(CommandError, match="Name one"):
        run("dead_letters", "retry")
    consumed.healed.set()
    assert "applied 2, left 0" in run("dead_letters", "retry", "--all", "--by=me")
    assert "No dead letter is open." in run("dead_letters", "retry", "--all", "--by=me")
    assert DeadLetter.objects.filter(resolved_by="me", state="applied").count() == 2


@pytest.mark.django_db
def test_all_are_retried_although_one_retry_decides_about_several():
    for number in (1, 2):
        deliver("state", [bank("AccountState", "a1", number, "poison")])
    deliver("state", [bank("AccountState", "a2", 3, "poison")])
    assert DeadLetter.objects.filter(state="dead").count() == 3
    consumed.healed.set()
    run("dead_letters", "retry", "--all")
    assert set(DeadLetter.objects.values_list("state", flat=True)) == {"applied"}


@pytest.mark.django_db
def test_a_dead_letter_is_discarded_once():
    letter = dead_letter()
    assert run("dead_letters", "discard", str(letter.pk), "--reason=junk") == f"Discarded {letter.pk}.\n"
    with pytest.raises(CommandError, match="before"):
        run("dead_letters", "discard", str(letter.pk), "--reason=junk")


@pytest.mark.django_db
def test_a_retry_while_something_is_away_says_so():
    letter = dead_letter()
    raw = bytes(letter.value).replace(b"\x0cpoison", b"\x08away")
    DeadLetter.objects.filter(pk=letter.pk).update(value=raw)
    with pytest.raises(CommandError, match="nothing was done"):
        run("dead_letters", "retry", str(letter.pk))


# Processes


def start(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.Popen:
    """The command as an operator starts it, on this test's database and topics."""
    tests = Path(__file__).parent
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}:{quote(database['PASSWORD'], safe='')}"
    given = {
        "DJANGO_SETTINGS_MODULE": "sample.settings",
        "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parents[2])]),
        "DATABASE_URL": f"{address}@{database['HOST']}:{database['PORT']}/{database['NAME']}",
        "KAFKA_TOPIC_PREFIX": conf().topic_prefix,
        "KAFKA_BOOTSTRAP_SERVERS": conf().bootstrap_servers,
        "SCHEMA_REGISTRY_URL": conf().registry_url,
    }
    with (tmp_path / "log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "django", *arguments], env=os.environ | given | environment, stdout=log, stderr=log
        )


def end(process: subprocess.Popen) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(10)


def test_relay_and_consumer_processes_show_life_and_metrics_and_end_within_ten_seconds(kafka, tmp_path):
    ports = free(("relay", "consumer"))
    beats = {name: tmp_path / name for name in ports}
    environments = {
        name: {"HEARTBEAT_FILE": str(beats[name]), "METRICS_PORT": str(port)} for name, port in ports.items()
    }
    relay = start(tmp_path, "run_relay", **environments["relay"])
    consumer = start(tmp_path, "run_consumer", "orders", **environments["consumer"])
    try:
        with transaction.atomic():
            publish(order("OrderPlaced"))
        until(Effect.objects.exists)
        until(lambda: all(beat.exists() for beat in beats.values()))
        before = {name: beat.stat().st_mtime for name, beat in beats.items()}
        until(lambda: all(beat.stat().st_mtime > before[name] for name, beat in beats.items()))
        for name, metric in (("relay", "eventbus_relayed_total"), ("consumer", "eventbus_batch_seconds_count")):
            with urlopen(f"http://127.0.0.1:{ports[name]}/metrics") as response:
                assert metric in response.read().decode()
    finally:
        started = time.monotonic()
        codes = [end(relay), end(consumer)]
    assert codes == [0, 0], (tmp_path / "log").read_text()
    assert time.monotonic() - started < 10
    assert not OutboxRow.objects.exists()


def test_a_consumer_that_finds_the_fault_in_itself_exits_with_an_error(kafka, tmp_path):
    for number in range(21):
        kafka.send(bank("PaymentMade", f"a{number}", number, "poison"))
    consumer = start(tmp_path, "run_consumer", "payments")
    assert consumer.wait(30) == 1
    assert "the fault seems to be its own" in (tmp_path / "log").read_text()
    assert DeadLetter.objects.count() <= 20


def test_a_consumer_that_is_not_in_the_table_is_refused():
    with pytest.raises(CommandError, match="invalid choice"):
        run("run_consumer", "nobody")
