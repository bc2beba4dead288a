"""What the app role may do, tried as the app role."""

from uuid import uuid4

import psycopg
import pytest

KEPT = {"tasks_taskhistory": "kind", "tasks_taskprice": "fee", "tasks_reassignment": "fees"}
NEW_TASK = (
    "INSERT INTO tasks_task (id, title, jira_id, description, status, creator_id, created_at, assigned_at,"
    " assignment_no, completion_no, version) VALUES (%(id)s, 'Wash', '', '', 'open', %(id)s, now(), now(), 0, 0, 1)"
)


@pytest.fixture
def app(app_dsn, db):
    with psycopg.connect(app_dsn) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_the_app_cannot_rewrite_history_prices_and_runs(app, table, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement.format(table=table, column=KEPT[table]))


def test_the_words_of_a_task_are_kept_for_the_app_too(app):
    task = {"id": uuid4()}
    words = "SELECT words::text FROM tasks_tasksearch WHERE task_id = %(id)s"
    app.execute(NEW_TASK, task)
    assert app.execute(words, task).fetchone() == ("'wash':1",)
    app.execute("UPDATE tasks_task SET title = 'Dry' WHERE id = %(id)s", task)
    assert app.execute(words, task).fetchone() == ("'dry':1",)


def test_the_app_cannot_switch_the_words_off(app):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("ALTER TABLE tasks_task DISABLE TRIGGER USER")
