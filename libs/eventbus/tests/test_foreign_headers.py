"""A record as another client library may write it: the name of a header need not be text."""

import ctypes
from pathlib import Path

import confluent_kafka
from sample.models import Effect
from sample.published import bank

from eventbus.conf import conf
from eventbus.models import DeadLetter

PRODUCER, TOPIC, VALUE, KEY, MESSAGE_FLAGS, HEADERS, END = 0, 1, 4, 5, 7, 10, 0
COPY = 2
SECONDS = 8


def send_with_header(topic: str, name: bytes) -> None:
    """By the C library under the Python client, which itself takes only names that are text."""
    folder = Path(confluent_kafka.__file__).parent.parent
    places = ("confluent_kafka.libs", "confluent_kafka/.dylibs")  # Linux, macOS
    library = ctypes.CDLL(str(next(path for place in places for path in folder.glob(f"{place}/librdkafka*"))))
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_headers_new"):
        getattr(library, function).restype = pointer
    problem = ctypes.create_string_buffer(512)
    settings = pointer(library.rd_kafka_conf_new())
    library.rd_kafka_conf_set(settings, b"bootstrap.servers", conf().bootstrap_servers.encode(), problem, size(512))
    client = pointer(library.rd_kafka_new(PRODUCER, settings, problem, size(512)))
    headers = pointer(library.rd_kafka_headers_new(size(1)))
    library.rd_kafka_header_add(headers, text(name), ctypes.c_ssize_t(len(name)), text(b"v"), ctypes.c_ssize_t(1))
    arguments = [TOPIC, text(topic.encode()), MESSAGE_FLAGS, COPY, VALUE, text(b"junk"), size(4)]
    arguments += [KEY, text(b"a1"), size(2), HEADERS, headers, END]
    assert library.rd_kafka_producev(client, *arguments) == 0
    assert library.rd_kafka_flush(client, SECONDS * 1000) == 0
    library.rd_kafka_destroy(client)


def test_a_record_whose_headers_cannot_be_read_is_a_dead_letter_and_others_go_on(kafka):
    before = range(1, 101)  # Python has specialised by then what a consumer does for each record
    for number in before:
        kafka.send(bank("PaymentMade", "a1", number))
    kafka.consume("payments", len(before))
    send_with_header(conf().topic_prefix + "payments", b"\xff\xfe")
    kafka.send(bank("PaymentMade", "a1", 101))
    kafka.consume("payments", 2)
    assert list(DeadLetter.objects.values_list("reason", flat=True)) == ["malformed"]
    assert list(Effect.objects.order_by("number").values_list("number", flat=True)) == [*before, 101]
