"""Files for Compose, Prometheus and GitHub, read by the programs that they are for; each finds what is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tools import complaint, program

from dev.paths import ROOT

MONITORING = ROOT / "deploy" / "monitoring"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_a_missing_program_fails_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(pytest.fail.Exception, match=r"promtool is missing.*apt-get install prometheus"):
        program("promtool")


def composed(file: Path, *words: str) -> str:
    """What Compose says against a file; the settings of this checkout do not count."""
    return complaint("docker-compose", "--env-file", "/dev/null", "--file", file, *words, "config", "--quiet")


@pytest.mark.parametrize("profile", ["", "infra", "demo", "monitoring", "*"])
def test_compose_understands_every_profile(profile: str) -> None:
    assert composed(ROOT / "docker-compose.yml", "--profile", profile) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tasks-migrate: { condition: service_completed_successfully }", "tasks-migrated: {}", "tasks-migrated"),
        ("source: secrets, target", "source: secret, target", "undefined volume secret"),
        ("${AUTH_PORT:-3000}:3000", "${AUTH_PORT:-3000:3000", "invalid"),
        ("mem_limit: 320m", "mem_limit: 320 apples", "apples"),
    ],
)
def test_compose_finds_what_its_schema_cannot(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert old in text
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(text.replace(old, new))
    assert said in composed(broken, "--profile", "*")


def objections(folder: Path) -> str:
    """What promtool says against the configuration, the rules and the rules' own tests of a folder."""
    return (
        complaint("promtool", "check", "config", folder / "prometheus.yml")
        + complaint("promtool", "check", "rules", folder / "rules.yml")
        + complaint("promtool", "test", "rules", folder / "rules_test.yml")
    )


def test_alerts_fire_and_stay_quiet_as_their_unit_tests_say() -> None:
    assert objections(MONITORING) == ""


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("rules.yml", "for: ", "for: 9", "FAILED"),
        ("rules.yml", "expr: ", "expr: rate(", "parse expression"),
        ("prometheus.yml", "rule_files: [rules.yml]", "rule_files: [rule.yml]", "rule.yml"),
        ("prometheus.yml", "scrape_interval", "scrape_intervals", "scrape_intervals"),
    ],
)
def test_promtool_finds_a_broken_alert(tmp_path: Path, file: str, old: str, new: str, said: str) -> None:
    folder = shutil.copytree(MONITORING, tmp_path / "monitoring")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    assert said in objections(folder)


@pytest.mark.parametrize("workflow", [pytest.param(path, id=path.name) for path in WORKFLOWS])
def test_actionlint_finds_nothing(workflow: Path) -> None:
    assert complaint("actionlint", "-no-color", workflow) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("runs-on: ubuntu-latest", "runs-on: ubuntu-newest", "unknown"),
        ("hashFiles(", "hashFile(", 'undefined function "hashFile"'),
        ("timeout-minutes", "timeout-minute", "timeout-minute"),
    ],
)
def test_actionlint_finds_a_broken_workflow(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = WORKFLOWS[0].read_text()
    assert old in text
    broken = tmp_path / "ci.yml"
    broken.write_text(text.replace(old, new))
    assert said in complaint("actionlint", "-no-color", broken)
