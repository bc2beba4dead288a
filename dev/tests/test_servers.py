"""The real servers: crashed, restarted, frozen; their data stays, their rights are held apart."""

import smtplib
import urllib.request
from email.message import EmailMessage

import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from dev.container import ContainerProcess
from dev.errors import Trouble
from dev.pytest_servers import SharedServers
from dev.servers import Servers
from dev.servers.postgres import ROLES


def query(url: str, statement: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        found = connection.execute(statement)
        return found.fetchone()[0] if found.description else None


def test_postgres_keeps_its_data_through_a_crash(own_servers: Servers) -> None:
    url = own_servers.postgres.url("billing", "owner")
    query(url, "CREATE TABLE kept AS SELECT 42 AS number")
    own_servers.kill("postgres")
    with pytest.raises(psycopg.OperationalError):
        query(url, "SELECT 1")
    own_servers.start("postgres")
    assert query(url, "SELECT number FROM kept") == 42


@pytest.mark.parametrize("role", ["owner", "app"])
def test_no_role_connects_to_the_database_of_another_service(own_servers: Servers, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        query(own_servers.postgres.url("billing", role, database="tasks"), "SELECT 1")


def test_the_app_role_is_no_member_of_the_owner_and_creates_nothing(own_servers: Servers) -> None:
    url = own_servers.postgres.url("billing", "app")
    assert query(url, "SELECT pg_has_role('billing_app', 'billing_owner', 'MEMBER')") is False
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(url, "CREATE TABLE own (id int)")


def test_the_app_signs_in_with_a_second_name_while_the_first_one_works_on(own_servers: Servers) -> None:
    postgres = own_servers.postgres
    url = postgres.url("billing", "app")
    secrets = {name: postgres.secrets.get(f"postgres_billing_{name}") for name in ("owner", "app")}
    with psycopg.connect(postgres.superuser_url("billing"), autocommit=True) as connection:
        settings = {"service": "billing", "app_b_password": "second"}
        for name, value in (settings | {f"{name}_password": value for name, value in secrets.items()}).items():
            connection.execute("SELECT set_config(%s, %s, false)", [f"tracker.{name}", value])
        connection.execute(ROLES.read_bytes())
        connection.execute("CREATE TABLE rotated AS SELECT 1 AS number; GRANT SELECT ON rotated TO billing_app")
    second = url.replace("billing_app:", "billing_app_b:").replace(secrets["app"], "second")
    assert [query(address, "SELECT number FROM rotated") for address in (url, second)] == [1, 1]
    assert query(second, "SHOW idle_in_transaction_session_timeout") == "10s"


def test_an_app_that_hangs_in_a_transaction_is_cut_off_after_ten_seconds(own_servers: Servers) -> None:
    assert query(own_servers.postgres.url("tasks", "app"), "SHOW idle_in_transaction_session_timeout") == "10s"


def test_kafka_keeps_records_through_a_crash(own_servers: Servers) -> None:
    kafka = own_servers.kafka
    admin = kafka.admin()
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result()
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "acks": "all"})
    producer.produce("kept", b"value")
    assert producer.flush(10) == 0
    own_servers.kill("kafka")
    assert not kafka.running
    own_servers.start("kafka")
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "test"})
    consumer.assign([TopicPartition("kept", 0, 0)])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert message.value() == b"value"


def test_a_frozen_server_answers_again_when_thawed(own_servers: Servers) -> None:
    own_servers.freeze("valkey")
    assert own_servers.valkey.running
    assert not own_servers.valkey.ready()
    own_servers.thaw("valkey")
    assert own_servers.valkey.ready()


def test_the_registry_answers_as_confluents(own_servers: Servers) -> None:
    with urllib.request.urlopen(f"{own_servers.registry.url}/subjects", timeout=5) as response:
        assert response.read() == b"[]"


def test_a_sent_mail_can_be_read(own_servers: Servers) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Payout", "a@popug.example", "w@popug.example"
    message.set_content("17 dollars")
    with smtplib.SMTP("127.0.0.1", own_servers.port_numbers["smtp"]) as client:
        client.send_message(message)
    [found] = [mail for mail in own_servers.mail.messages() if mail["Subject"] == "Payout"]
    assert found["To"] == "w@popug.example"
    assert found.get_content().strip() == "17 dollars"


def test_another_object_finds_the_same_servers(own_servers: Servers) -> None:
    found = Servers(own_servers.state_dir)
    assert found.port_numbers == own_servers.port_numbers
    assert found.answer()


def test_shared_servers_cannot_be_stopped(own_servers: Servers) -> None:
    shared = SharedServers(own_servers.state_dir)
    with pytest.raises(RuntimeError, match="shared with other runs"):
        shared.stop("kafka")
    assert own_servers.kafka.running


def test_new_servers_are_containers_where_that_is_chosen_and_say_so_when_docker_is_away(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TRACKER_SERVERS", "containers")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    servers = Servers(tmp_path)
    assert isinstance(servers.kafka.process, ContainerProcess)
    with pytest.raises(Trouble, match="needs Docker, which does not answer"):
        servers.start()


def test_servers_stay_what_they_were_made_of(own_servers: Servers, tmp_path, monkeypatch) -> None:
    of = Servers(own_servers.state_dir).in_containers
    monkeypatch.setenv("TRACKER_SERVERS", "" if of else "containers")
    assert Servers(own_servers.state_dir).in_containers is of
    assert Servers(tmp_path).in_containers is not of
