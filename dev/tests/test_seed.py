"""Which days the history has."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from dev import seed
from dev.seed import business_days, next_business_day

WEDNESDAY = date(2026, 3, 11)


def test_history_has_business_days_only_and_ends_before_today() -> None:
    days = business_days(WEDNESDAY, 10)
    assert days == [date(2026, 2, 25), date(2026, 2, 26), date(2026, 2, 27)] + [
        date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10)
    ]


def test_history_has_thirty_business_days() -> None:
    days = business_days(WEDNESDAY)
    assert (len(days), days[0], days[-1]) == (30, date(2026, 1, 28), date(2026, 3, 10))


def test_a_weekend_is_followed_by_monday() -> None:
    assert next_business_day(date(2026, 3, 14)) == date(2026, 3, 16)
    assert next_business_day(WEDNESDAY) == WEDNESDAY


class Asked:
    """A system that notes which commands it is asked to run."""

    services = ("auth", "billing")
    secrets = None

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.commands: list[tuple[str, ...]] = []

    def manage(self, *words: str) -> str:
        self.commands.append(words)
        return ""


def test_the_accounts_of_a_small_system_are_of_yesterday_and_its_cycle_is_due_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seed, "today", lambda: WEDNESDAY)
    monkeypatch.setattr(seed, "Progress", lambda _: SimpleNamespace(wait=lambda: None))
    monkeypatch.setattr(seed.people, "write_password_file", lambda secrets, path: path)
    asked = Asked(tmp_path)
    seed.seed_minimum(asked)  # type: ignore[arg-type]
    assert [(words[0], words[-1]) for words in asked.commands] == [("auth", "2026-03-10"), ("billing", "2026-03-12")]
