"""The exceptions of the bus."""


class InvalidEvent(ValueError):
    """The event does not fit its schema; the request that publishes it fails."""


class TransientError(Exception):
    """A handler cannot work now (something it needs is away): the batch is tried again later, as it is."""


class Rejected(Exception):
    """A record that cannot become an event; it is set aside alone, and its key goes on."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Fenced(Exception):
    """Another consumer has moved the position of one of the batch's partitions: the batch is not ours."""


class ConsumerStopped(Exception):
    """The consumer refuses to go on, because the fault is its own or a topic is not the one it knew."""


class TopicReplaced(Exception):
    """The topic is not the one whose position is stored, or the position lies outside of it."""
