"""The relay process: a thread for each shard that it can get, and a heartbeat while all of them go round."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from time import monotonic

import psycopg
import structlog
from confluent_kafka import KafkaException

from eventbus import metrics
from eventbus.errors import TransientError
from eventbus.heartbeat import Heartbeat
from eventbus.relay import Relay

logger = structlog.get_logger("eventbus.relay")

_BACKOFF_SECONDS = 1.0
_BETWEEN_CLAIMS_SECONDS = 2.0  # leaves shards to the other relays that start at the same time
_STUCK_SECONDS = 60.0
_AWAY = (psycopg.Error, KafkaException, TransientError)


class RelayRunner:
    """Relays all shards that no other process has."""

    def __init__(self, shards: int, heartbeat: Heartbeat, relay: type[Relay] = Relay) -> None:
        self._shards = shards
        self._relay = relay
        self._heartbeat = heartbeat
        self._stop = threading.Event()
        self._claiming = threading.Lock()
        self._next_claim = 0.0
        self._seen = dict.fromkeys(range(shards), monotonic())

    def stop(self) -> None:
        """End `run` after the batches under way; callable from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Relay until stopped; a shard that fails is given up and claimed again.

        An error that nobody foresaw ends all of them and is raised: the process is to be started anew.
        """
        with ThreadPoolExecutor(self._shards, thread_name_prefix="shard") as pool:
            shards = [pool.submit(self._work, shard) for shard in range(self._shards)]
            try:
                while not wait(shards, _BACKOFF_SECONDS, FIRST_COMPLETED).done:
                    if monotonic() - min(self._seen.values()) <= _STUCK_SECONDS:
                        self._heartbeat.beat()
            finally:
                self.stop()
        for shard in shards:
            shard.result()

    def _work(self, shard: int) -> None:
        while not self._stop.is_set():
            self._seen[shard] = monotonic()
            relay = self._relay(shard, self._shards)
            try:
                if self._claim(relay):
                    self._go_round(relay)
            except _AWAY as error:
                metrics.RELAY_ERRORS.inc()
                logger.warning("relay_lost", shard=shard, error=str(error))
            finally:
                relay.close()
            self._stop.wait(_BACKOFF_SECONDS)

    def _claim(self, relay: Relay) -> bool:
        while not self._claiming.acquire(timeout=_BACKOFF_SECONDS):
            self._seen[relay.shard] = monotonic()  # in line behind others, each of which may wait for Kafka
        try:
            if self._stop.is_set() or monotonic() < self._next_claim or not relay.claim():
                return False
            self._next_claim = monotonic() + _BETWEEN_CLAIMS_SECONDS
        finally:
            self._claiming.release()
        logger.info("relay_ready", shard=relay.shard)
        return True

    def _go_round(self, relay: Relay) -> None:
        while not self._stop.is_set():
            self._seen[relay.shard] = monotonic()
            if relay.step() == 0:
                relay.wait()
