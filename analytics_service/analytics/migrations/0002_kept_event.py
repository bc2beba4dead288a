"""Kept events: partitioned by month of the broker's timestamp, which Django's models cannot say."""

from django.db import migrations, models

TABLE = """
CREATE SEQUENCE analytics_kept_event_id_seq;
CREATE TABLE analytics_kept_event (
    -- One sequence for all partitions, without a cache: rebuild needs ids that rise with time.
    id bigint NOT NULL DEFAULT nextval('analytics_kept_event_id_seq'),
    event_id uuid NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    event_time timestamptz NOT NULL,
    producer text NOT NULL,
    received_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (event_id, received_at)
) PARTITION BY RANGE (received_at);
ALTER SEQUENCE analytics_kept_event_id_seq OWNED BY analytics_kept_event.id;
CREATE INDEX analytics_kept_position ON analytics_kept_event (topic, partition, "offset", id);
CREATE INDEX analytics_kept_id ON analytics_kept_event (id);
-- Takes what no month has been made for: a late job loses nothing.
CREATE TABLE analytics_kept_event_default PARTITION OF analytics_kept_event DEFAULT;
"""

# With the rights of the owner: the app role has no right to make tables, nor any on a partition of its own.
FUNCTION = """
CREATE FUNCTION analytics_make_partition(month date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    following timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    partition_name text := 'analytics_kept_event_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(partition_name) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    -- Two that make the same month: the second one waits here and finds it made.
    LOCK TABLE analytics_kept_event IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(partition_name) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE analytics_kept_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM analytics_kept_event_default WHERE received_at >= %L AND received_at < %L RETURNING *)'
        ' INSERT INTO %I SELECT * FROM moved', first, following, partition_name
    );
    EXECUTE format(
        'ALTER TABLE analytics_kept_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition_name, first, following
    );
    RETURN partition_name;
END
$$;
SELECT analytics_make_partition((now() AT TIME ZONE 'UTC' + ahead * interval '1 month')::date) FROM generate_series(0, 2) AS ahead;
"""

DROP = """
DROP FUNCTION analytics_make_partition(date);
DROP TABLE analytics_kept_event;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE + FUNCTION, reverse_sql=DROP)],
            state_operations=[
                migrations.CreateModel(
                    name="KeptEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "event_id",
                                "received_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("id", models.BigIntegerField(editable=False)),
                        ("event_id", models.UUIDField()),
                        ("topic", models.TextField()),
                        ("partition", models.IntegerField()),
                        ("offset", models.BigIntegerField()),
                        ("key", models.TextField()),
                        ("name", models.TextField()),
                        ("version", models.IntegerField()),
                        ("event_time", models.DateTimeField()),
                        ("producer", models.TextField()),
                        ("received_at", models.DateTimeField(help_text="The broker's timestamp.")),
                        ("data", models.JSONField()),
                    ],
                    options={
                        "db_table": "analytics_kept_event",
                        "indexes": [
                            models.Index(
                                fields=["topic", "partition", "offset", "id"], name="analytics_kept_position"
                            ),
                            models.Index(fields=["id"], name="analytics_kept_id"),
                        ],
                    },
                )
            ],
        )
    ]
