"""Several commands in one process, answered one by one."""

import os
import sys
from pathlib import Path

import pytest

from dev.conversation import Conversation, Ended

PROJECT = """
import os, sys
from django.conf import settings
from django.core.management import execute_from_command_line

sys.path.insert(0, os.getcwd())
settings.configure(INSTALLED_APPS=["greeting"])
execute_from_command_line(sys.argv)
"""
COMMAND = """
import os
from django.core.management.base import BaseCommand, CommandError

class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("name")

    def handle(self, name, **options):
        if name == "nobody":
            raise CommandError("nobody is there")
        self.stdout.write(f"Hello {name},\\nfrom {os.getpid()}")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    commands = tmp_path / "greeting" / "management" / "commands"
    commands.mkdir(parents=True)
    (tmp_path / "greeting" / "__init__.py").touch()
    (commands / "greet.py").write_text(COMMAND)
    (tmp_path / "manage.py").write_text(PROJECT)
    return tmp_path


def open_in(project: Path) -> Conversation:
    return Conversation([sys.executable, "manage.py"], cwd=project, env=dict(os.environ))


def test_commands_are_answered_by_one_process(project: Path) -> None:
    with open_in(project) as conversation:
        first, second = conversation.run("greet", "Ada Adler"), conversation.run("greet", "Max")
    assert first.startswith("Hello Ada Adler,\nfrom ")
    assert second.startswith("Hello Max,\nfrom ")
    assert first.split()[-1] == second.split()[-1]


def test_a_command_that_fails_says_why_and_ends_the_process(project: Path) -> None:
    with open_in(project) as conversation:
        with pytest.raises(Ended, match="nobody is there"):
            conversation.run("greet", "nobody")
        with pytest.raises(Ended):
            conversation.run("greet", "Ada")
