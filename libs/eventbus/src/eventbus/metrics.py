"""What the bus tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

RELAYED = Counter("eventbus_relayed", "Events sent", ["topic"])
RELAY_ERRORS = Counter("eventbus_relay_errors", "Batches that the relay had to give up and repeat")
LAG_RECORDS = Gauge("eventbus_consumer_lag_records", "Records not yet consumed", ["group", "topic", "partition"])
LAG_SECONDS = Gauge("eventbus_consumer_lag_seconds", "Age of the record consumed last; 0 when all are", ["group"])
BATCH_SECONDS = Histogram("eventbus_batch_seconds", "Time to apply a batch", ["group"])
CONSUMED = Counter("eventbus_consumed", "Events applied", ["group", "event"])
DUPLICATES = Counter("eventbus_inbox_duplicates", "Events seen before", ["group"])
DEAD_LETTERS = Counter("eventbus_dead_letters", "Records set aside", ["group", "reason"])
TRANSIENT_ERRORS = Counter("eventbus_transient_errors", "Batches tried again", ["group"])
FENCED = Counter("eventbus_fenced", "Batches refused because another consumer was faster", ["group"])
STOPPED_PARTITIONS = Gauge("eventbus_stopped_partitions", "Partitions whose topic was replaced; alarm", ["group"])
