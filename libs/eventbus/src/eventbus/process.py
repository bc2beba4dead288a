"""What relay and consumer processes have in common: signals, heartbeat file, metrics port, memory."""

import gc
import os
import signal
from collections.abc import Callable
from types import FrameType

from prometheus_client import start_http_server

from eventbus.heartbeat import Heartbeat

# Objects made before the collector looks at the youngest; of a batch's, none are in a circle.
_COLLECT_EVERY = 50_000


def prepare() -> Heartbeat:
    """Serve metrics on METRICS_PORT, if it is set, and return the heartbeat of HEARTBEAT_FILE.

    METRICS_HOST is the address that listens; all of them where it is not set.
    What is loaded by now stays, so the garbage collector leaves it alone: a tenth of a consumer's time.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, *gc.get_threshold()[1:])
    if port := os.environ.get("METRICS_PORT"):
        start_http_server(int(port), os.environ.get("METRICS_HOST", "0.0.0.0"))  # noqa: S104  its network is its own
    return Heartbeat(os.environ.get("HEARTBEAT_FILE"))


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT."""

    def _stop(_number: int, _frame: FrameType | None) -> None:
        stop()

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
