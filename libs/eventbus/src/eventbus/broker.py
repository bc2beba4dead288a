"""What the broker says about partitions: topic ids and watermarks."""

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from eventbus.conf import conf
from eventbus.errors import TransientError
from eventbus.kafka import client_settings
from eventbus.positions import Found, Partition

_SECONDS = 3


class Broker:
    """Questions to the broker; TransientError where it does not answer."""

    def __init__(self) -> None:
        self._admin = AdminClient(client_settings())

    def found(self, partitions: Iterable[Partition]) -> dict[Partition, Found]:
        """What is there now of these partitions. `high` is the end of what is committed."""
        wanted = {TopicPartition(conf().topic_prefix + topic, number): (topic, number) for topic, number in partitions}
        if not wanted:
            return {}
        self._admin.poll(0)  # what it has to log
        try:
            ids = self.ask_topic_ids({topic for topic, _ in wanted.values()})()
            low = self._offsets(wanted, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            high = self._offsets(wanted, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        except KafkaException as error:
            raise TransientError(f"Kafka does not say where its topics are: {error}") from error
        return {name: Found(ids[name[0]], low[name], high[name]) for name in wanted.values()}

    def ask_topic_ids(self, topics: Iterable[str]) -> Callable[[], dict[str, str]]:
        """Ask for the ids of topics (without prefix) without waiting; the returned function waits for the answer."""
        prefix = conf().topic_prefix
        futures = self._admin.describe_topics(
            TopicCollection([prefix + topic for topic in topics]), request_timeout=_SECONDS
        )

        def answer() -> dict[str, str]:
            try:
                return {name[len(prefix) :]: str(future.result().topic_id) for name, future in futures.items()}
            except KafkaException as error:
                raise TransientError(f"Kafka does not say which topics it has: {error}") from error

        return answer

    def _offsets(self, wanted: dict[TopicPartition, Partition], spec: Any) -> dict[Partition, int]:
        futures = self._admin.list_offsets(
            dict.fromkeys(wanted, spec), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_SECONDS
        )
        return {wanted[partition]: future.result().offset for partition, future in futures.items()}
