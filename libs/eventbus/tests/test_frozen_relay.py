"""A relay's process that stands still while another one takes over its shard, and goes on afterwards."""

import signal

import psutil
import pytest
from buses import until
from django.db import transaction
from sample.management.commands.relay_and_freeze import BEFORE_COMMIT, BETWEEN
from sample.models import Effect
from sample.published import order
from test_commands import end, start

from eventbus import publish_many
from eventbus.models import OutboxRow


def commit(*numbers: int) -> None:
    with transaction.atomic():
        publish_many(order("OrderState", "o1", number) for number in numbers)


def states(kafka) -> list[int]:
    """The numbers in the topic, as Avro writes small ones."""
    return [record.value[-2] // 2 for record in kafka.records("orders-stream")]


@pytest.mark.parametrize("place", [BETWEEN, BEFORE_COMMIT])
def test_a_relay_stopped_in_a_batch_until_another_has_sent_newer_rows_writes_nothing_on_waking(kafka, tmp_path, place):
    commit(1, 2)
    logs = {name: tmp_path / name for name in ("frozen", "heir")}
    for folder in logs.values():
        folder.mkdir()
    frozen = start(logs["frozen"], "relay_and_freeze", place, RELAY_IDLE_SECONDS="2")
    processes = [frozen]
    try:
        until(lambda: psutil.Process(frozen.pid).status() == psutil.STATUS_STOPPED)
        processes.append(start(logs["heir"], "run_relay"))
        commit(3)
        until(lambda: not OutboxRow.objects.exists())
        before = states(kafka)
        frozen.send_signal(signal.SIGCONT)
        until(lambda: "relay_lost" in (logs["frozen"] / "log").read_text())
        commit(4)
        until(lambda: not OutboxRow.objects.exists())
    finally:
        frozen.send_signal(signal.SIGCONT)
        codes = [end(process) for process in processes]
    assert codes == [0, 0], (logs["frozen"] / "log").read_text()
    assert "relay_lost" not in (logs["heir"] / "log").read_text()
    # The heir may have sent a batch twice, where the broker was too slow to tell that it had committed.
    assert (set(before), before[-1]) == ({1, 2, 3}, 3)
    assert states(kafka) == [*before, 4]
    kafka.consume("orders", 4)
    assert list(Effect.objects.order_by("id").values_list("number", flat=True)) == [1, 2, 3, 4]
