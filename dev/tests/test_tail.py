"""The demo shows what happens, whatever that is."""

import json
import threading
import time
import urllib.request
from types import SimpleNamespace

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from dev.demo import follow
from dev.servers import Servers
from dev.tail import Names, Tail, own_topics

ODD = {"type": "record", "name": "Odd", "fields": [{"name": "data", "type": ["null", "string"]}]}


def registered(servers: Servers, schema: object) -> int:
    request = urllib.request.Request(
        f"{servers.registry.url}/subjects/odd/versions",
        json.dumps({"schema": json.dumps(schema)}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return int(json.load(response)["id"])


# A choice that the schema does not have, and a record that is no event.
@pytest.mark.parametrize("value", [b"\x0e", b"\x00"])
def test_an_odd_record_is_told_and_ends_nothing(
    own_servers: Servers, value: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = own_servers.kafka.admin()
    for created in admin.create_topics([NewTopic(topic, 1, 1) for topic in own_topics()]).values():
        created.exception()  # the second time they are there
    number = registered(own_servers, ODD)
    producer = Producer({"bootstrap.servers": own_servers.kafka.bootstrap_servers})
    ending = threading.Event()
    tail = Tail(SimpleNamespace(servers=own_servers))  # type: ignore[arg-type]
    thread = threading.Thread(target=follow, args=(tail, ending))
    thread.start()
    try:
        shown, deadline = "", time.monotonic() + 30
        while shown.count("a record on accounts that cannot be read") < 2:
            assert time.monotonic() < deadline, shown
            producer.produce("accounts", b"\0" + number.to_bytes(4, "big") + value)
            producer.flush(10)
            time.sleep(0.1)
            shown += capsys.readouterr().out
    finally:
        ending.set()
        thread.join()


def test_the_demo_goes_on_when_nothing_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    kafka = SimpleNamespace(bootstrap_servers="127.0.0.1:1")
    tail = Tail(SimpleNamespace(servers=SimpleNamespace(kafka=kafka)))  # type: ignore[arg-type]
    ending = threading.Event()
    thread = threading.Thread(target=follow, args=(tail, ending))
    thread.start()
    shown, deadline = "", time.monotonic() + 30
    while "not shown any more, all else goes on" not in shown:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        shown += capsys.readouterr().out
    assert thread.is_alive()
    ending.set()
    thread.join()


def test_somebody_without_a_name_is_called_by_the_address() -> None:
    names = Names()
    names.learn({"account_id": "a", "full_name": "", "email": "ada@popug.example"})
    assert names["a"] == "ada@popug.example"
