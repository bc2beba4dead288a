"""The relay's process: its heartbeat says whether its shards go round, and it ends where it cannot go on."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from confluent_kafka import KafkaError, KafkaException

from eventbus.heartbeat import Heartbeat
from eventbus.relay import Relay
from eventbus.relay_runner import RelayRunner


def test_a_heartbeat_that_cannot_be_written_ends_the_process(kafka, tmp_path):
    runner = RelayRunner(1, Heartbeat(str(tmp_path / "missing" / "alive")))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(runner.run)
        try:
            with pytest.raises(FileNotFoundError):
                running.result(15)
        finally:
            runner.stop()


class Noting(Heartbeat):
    """Keeps when it beat."""

    def __init__(self) -> None:
        super().__init__()
        self.moments = [time.monotonic()]

    def beat(self) -> None:
        self.moments.append(time.monotonic())


def test_shards_that_stand_in_line_while_kafka_is_away_are_alive(monkeypatch):
    class Waiting(Relay):
        def claim(self) -> bool:
            time.sleep(0.5)
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "Kafka is away"))

    monkeypatch.setattr("eventbus.relay_runner._STUCK_SECONDS", 3)
    heartbeat = Noting()
    runner = RelayRunner(16, heartbeat, Waiting)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(runner.run)
        time.sleep(12)
        stopped = time.monotonic()
        runner.stop()
        running.result()
        ended = time.monotonic()
    assert max(after - before for before, after in pairwise([*heartbeat.moments, ended])) < 3
    assert ended - stopped < 4
