"""Migrations only add: pods of the release before work on while those of the next one start."""

from __future__ import annotations

from pathlib import Path

import pytest
from migration_rules import App

from dev.paths import ROOT

FOLDERS = sorted(
    folder
    for pattern in ("*_service/*/migrations", "libs/*/src/*/migrations", "libs/*/src/*/*/migrations")
    for folder in ROOT.glob(pattern)
)
# What stands, and why no pod of the release before trips over it.
EXPLAINED = {
    # Until then provision_clients alone wrote parties, each under the name of its service.
    "auth_service/accounts/migrations/0002_applications_and_locks.py": [
        "AddConstraint relyingparty: what old pods write may be refused"
    ],
}


@pytest.mark.parametrize("folder", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in FOLDERS])
def test_pods_of_the_release_before_do_not_trip_over_a_migration(folder: Path) -> None:
    app = App()
    for path in sorted(folder.glob("[0-9]*.py")):
        assert app.findings(path.read_text()) == EXPLAINED.get(str(path.relative_to(ROOT)), []), path.name


def test_the_migrations_of_services_and_libraries_are_looked_at() -> None:
    assert len([path for folder in FOLDERS for path in folder.glob("[0-9]*.py")]) > 20


FIRST = """
operations = [migrations.CreateModel(name="Task", fields=[
    ("id", models.UUIDField(primary_key=True)),
    ("title", models.CharField(max_length=200)),
    ("link", models.URLField()),
    ("note", models.TextField(null=True)),
    ("kind", models.TextField(db_default="")),
])]
"""
SQL = 'TEXT = """{} """\noperations = [migrations.RunSQL(TEXT, "DROP TABLE later")]'
BREAKING = {
    'migrations.RemoveField("task", "note")': "RemoveField task.note",
    'migrations.DeleteModel(name="Task")': "DeleteModel Task",
    'migrations.AddField("task", "fee", models.IntegerField(default=0))': "AddField task.fee",
    'migrations.AddField(model_name="task", name="by", field=models.UUIDField())': "AddField task.by",
    'migrations.AddConstraint("Task", models.CheckConstraint(name="x"))': "AddConstraint task",
    'migrations.AlterField("task", "note", models.TextField())': "AlterField task.note: no longer empty",
    'migrations.AlterField("task", "note", models.TextField(null=True, unique=True))': "task.note: now unique",
    'migrations.AlterField("task", "note", models.TextField(null=True, db_column="x"))': "another column",
    'migrations.AlterField("task", "kind", models.TextField())': "no default in the database any more",
    'migrations.AlterField("task", "title", models.CharField(max_length=100))': "AlterField task.title: shorter",
    'migrations.AlterField("task", "link", models.URLField(max_length=100))': "AlterField task.link: shorter",
    'migrations.AlterField("task", "title", models.IntegerField())': "AlterField task.title: another type",
    'migrations.AlterField("task", "unheard", models.IntegerField())': "AlterField task.unheard: another type",
    SQL.format("ALTER TABLE task DROP\nCOLUMN note"): "RunSQL: DROP",
    SQL.format("ALTER TABLE task RENAME note TO notes"): "RunSQL: RENAME",
    SQL.format("alter table task alter column note set not null"): "RunSQL: SET NOT NULL",
    SQL.format("ALTER TABLE task ALTER COLUMN note TYPE integer"): "RunSQL: ALTER COLUMN NOTE TYPE",
    SQL.format("ALTER TABLE task ADD CONSTRAINT x CHECK (id > 0)"): "RunSQL: ADD CONSTRAINT",
    SQL.format("CREATE UNIQUE INDEX one ON task (note)"): "RunSQL: CREATE UNIQUE INDEX",
}
HARMLESS = [
    'migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("task", "note")])',
    'migrations.AddField("task", "fee", models.IntegerField(null=True))',
    'migrations.AddField("task", "fee", models.IntegerField(db_default=0, default=0))',
    'migrations.AlterField("task", "title", models.CharField(max_length=300, null=True, help_text="x"))',
    'migrations.RemoveConstraint("task", "x")',
    '[migrations.CreateModel("New", [("id", models.UUIDField())]), migrations.AddConstraint("new", x)]',
    SQL.format("ALTER TABLE task ALTER COLUMN note DROP NOT NULL; -- DROP"),
]


def found_after_the_first(source: str) -> list[str]:
    app = App()
    assert app.findings(FIRST) == []
    return app.findings(source)


@pytest.mark.parametrize("source", BREAKING)
def test_a_migration_that_breaks_old_pods_is_found(source: str) -> None:
    (finding,) = found_after_the_first(source)
    assert BREAKING[source] in finding


@pytest.mark.parametrize("source", HARMLESS)
def test_a_migration_that_only_adds_is_let_through(source: str) -> None:
    assert found_after_the_first(source) == []
