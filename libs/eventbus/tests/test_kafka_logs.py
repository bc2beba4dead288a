"""What librdkafka has to say comes in time, and not at each of its attempts."""

import logging
import time

import pytest
from confluent_kafka import Producer

from eventbus.kafka import client_settings
from eventbus.kafka_logs import AGAIN_SECONDS, Seldom, kafka_logger
from eventbus.relay import Relay

REFUSED = (
    "FAIL [rdkafka#producer-{0}] [thrd:127.0.0.1:9/{1}]: 127.0.0.1:9/{1}: Connect to ipv4#127.0.0.1:9 failed:"
    " Connection refused (after {2}ms in state CONNECT, {2} identical error(s) suppressed)"
)
LOST = "FAIL [rdkafka#producer-1] [thrd:127.0.0.1:9/1]: 127.0.0.1:9/1: Disconnected (after 7ms in state UP)"


class Heard(logging.Handler):
    """What comes out of a logger with the filter, on a clock of its own."""

    def __init__(self):
        super().__init__()
        self.now, self.lines = 0.0, []
        self.logger = logging.Logger("test")
        self.logger.addHandler(self)
        self.logger.addFilter(Seldom(lambda: self.now))

    def emit(self, record):
        self.lines.append(record.getMessage())

    def say(self, line):
        """Whether it was heard."""
        before = len(self.lines)
        self.logger.log(logging.ERROR, "%s", line)
        return len(self.lines) > before


def test_a_broker_that_is_away_is_said_once_a_minute_whoever_says_it():
    heard = Heard()
    assert heard.say(REFUSED.format(1, "bootstrap", 0))
    for attempt in range(20):
        heard.now += 1
        assert not heard.say(REFUSED.format(attempt, 1, attempt))
    heard.now = AGAIN_SECONDS
    assert heard.say(REFUSED.format(30, 1, 1))
    assert heard.lines[-1].endswith("[20 more since this was last said]")


def test_another_address_or_another_reason_is_news():
    heard = Heard()
    lines = [REFUSED.format(1, 1, 0), REFUSED.format(1, 1, 0).replace(":9", ":10"), LOST]
    assert [heard.say(line) for line in lines * 2] == [True] * 3 + [False] * 3


def test_what_was_said_long_ago_is_forgotten():
    heard = Heard()
    filter_ = heard.logger.filters[0]
    for number in range(100):
        heard.say(f"{number} brokers are down")
        heard.now += AGAIN_SECONDS / 10
    assert len(filter_._said) <= 10


@pytest.fixture
def lines():
    """What our clients log, unfiltered but by the filter that they have."""
    found = []

    class Handler(logging.Handler):
        def emit(self, record):
            found.append((time.monotonic(), record.getMessage()))

    handler = Handler()
    kafka_logger().addHandler(handler)
    yield found
    kafka_logger().removeHandler(handler)


def test_a_closed_port_is_one_line(settings, lines):
    kafka_logger().filters.clear()  # what other tests said does not count
    settings.EVENTBUS = settings.EVENTBUS | {"BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    for _ in range(2):
        producer = Producer(client_settings() | {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 20})
        end = time.monotonic() + 1
        while time.monotonic() < end:
            producer.poll(0.1)
    assert len(lines) == 1
    assert "Connection refused" in lines[0][1]


def test_an_idle_relay_lets_its_producer_speak(kafka, settings, lines):
    settings.EVENTBUS = settings.EVENTBUS | {"CLIENT_SETTINGS": {"debug": "eos"}}
    kafka_logger().setLevel(logging.DEBUG)
    relay = Relay()
    try:
        assert relay.claim()
        lines.clear()
        relay.wait(0.1)
        assert lines
    finally:
        kafka_logger().setLevel(logging.NOTSET)
        relay.close()
