"""The tasks service as it was when TaskCreated had only a description: what it wrote to Kafka, byte for byte."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import fastavro
from confluent_kafka import Producer

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "tasks"


class OldTasks:
    """Writes version 1 of TaskCreated, and the business events, to the broker."""

    def __init__(self, kafka: dict[str, str]) -> None:
        self._registry = kafka["registry_url"].rstrip("/")
        self._prefix = kafka["topic_prefix"]
        self._producer = Producer({"bootstrap.servers": kafka["bootstrap_servers"], "enable.idempotence": True})

    def create_and_complete(self, *, description: str, account_id: UUID) -> UUID:
        """A task made, assigned and completed by the old version of the service."""
        task, now, actor = uuid4(), datetime.now(UTC), str(account_id)
        common = {"task_id": str(task), "account_id": actor, "actor_id": actor}
        created = {
            "task_id": str(task), "version": 1, "description": description, "status": "open", "assignee_id": actor,
            "assignment_no": 1, "completion_no": 0, "creator_id": actor, "created_at": now,
        }  # fmt: skip
        assigned = {**common, "version": 1, "assignment_no": 1, "cause": "created", "reassignment_id": None}
        self._send("TaskCreated", 1, created, now)
        self._send("TaskAssigned", 1, assigned, now)
        self._send("TaskCompleted", 1, {**common, "version": 2, "completion_no": 1}, now)
        assert self._producer.flush(10) == 0
        return task

    def _send(self, name: str, version: int, data: dict[str, Any], now: datetime) -> None:
        folder = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")
        path = SCHEMAS / folder / f"{version}.avsc"
        schema = json.loads(path.read_text())
        text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
        event_id = str(uuid4())
        envelope = {
            "event_id": event_id, "event_name": name, "event_version": version, "event_time": now,
            "producer": "tasks", "data": data,
        }  # fmt: skip
        body = io.BytesIO()
        fastavro.schemaless_writer(body, fastavro.parse_schema(schema), envelope)
        value = struct.pack(">bI", 0, self._id_of(schema, text)) + body.getvalue()
        headers = {
            "ce_id": event_id, "ce_type": f"tracker.tasks.{name}.v{version}",
            "ce_source": "/tasks", "ce_specversion": "1.0",
            "ce_time": now.isoformat(), "content-type": "application/avro",
            "schema-sha256": hashlib.sha256(text.encode()).hexdigest(),
        }  # fmt: skip
        self._producer.produce(
            self._prefix + schema["topic"], value, key=data["task_id"],
            headers=[(key, text.encode()) for key, text in headers.items()],
        )  # fmt: skip

    def _id_of(self, schema: dict[str, Any], text: str) -> int:
        subject = f"{schema['topic']}-{schema['namespace']}.{schema['name']}"
        request = urllib.request.Request(
            f"{self._registry}/subjects/{subject}",
            data=json.dumps({"schema": text}).encode(),
            headers={"Content-Type": "application/vnd.schemaregistry.v1+json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(json.load(response)["id"])
