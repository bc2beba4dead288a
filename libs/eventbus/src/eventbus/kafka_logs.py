"""What librdkafka says: a broker that is away is said once a minute, not at each of its attempts."""

import logging
import re
import threading
from collections.abc import Callable
from time import monotonic

AGAIN_SECONDS = 60.0
# How often and how long it was tried: the same news with other numbers.
_COUNTS = re.compile(r" \(after [^)]*\)|, \d+ identical error\(s\) suppressed")
# Which client and thread of ours says it, and which of a broker's two names it uses.
_WHO = re.compile(r"\[rdkafka#[^]]*\] \[thrd:[^]]*\]: ?|(?<=:\d)(\d*)/(?:\d+|bootstrap)")


class Seldom(logging.Filter):
    """Lets a line through that was not said in the last minute, of whichever client; with how often it was left out."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, int]] = {}  # when, and how often it was left out since

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a line that says nothing new."""
        text, now = record.getMessage(), self._clock()
        news = _WHO.sub(r"\1", _COUNTS.sub("", text))
        with self._lock:
            at, left_out = self._said.get(news, (-AGAIN_SECONDS, 0))
            if now - at < AGAIN_SECONDS:
                self._said[news] = at, left_out + 1
                return False
            self._said = {told: when for told, when in self._said.items() if now - when[0] < AGAIN_SECONDS}
            self._said[news] = now, 0
        if left_out:
            record.msg, record.args = f"{text} [{left_out} more since this was last said]", ()
        return True


def kafka_logger() -> logging.Logger:
    """The logger of all clients."""
    logger = logging.getLogger("eventbus.kafka")
    if not any(isinstance(found, Seldom) for found in logger.filters):
        logger.addFilter(Seldom())
    return logger
