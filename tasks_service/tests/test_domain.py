import contextlib
import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import domain
from tasks.domain import Heading, TextError

HEADINGS = json.loads((Path(__file__).resolve().parents[2] / "schemas/tasks/headings.json").read_text("utf-8"))["lines"]
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
plain = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="[]"), min_size=1, max_size=60)
jira_ids = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,9}-[0-9]{1,6}", fullmatch=True)


@pytest.mark.parametrize(("typed", "jira_id", "title"), HEADINGS)
def test_a_typed_line_is_read_as_jira_id_and_title_or_refused(typed, jira_id, title):
    if title is None:
        with pytest.raises(TextError):
            domain.heading_read(typed)
    else:
        assert domain.heading_read(typed) == Heading(title, jira_id)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("[POPUG-42]", "empty"),
        ("[POPUG-42] - ", "empty"),
        ("Wash\nthe cage", "lines"),
        ("[POPUG-42] Wash\u2028the cage", "lines"),
        ("Wash\x00the cage", "lines"),
        ("[urgent] Wash the cage", "brackets"),
        ("[POPUG-42] [POPUG-43] Wash the cage", "brackets"),
        ("Wash the cage]", "brackets"),
        ("x" * 201, "long"),
    ],
)
def test_a_title_that_breaks_the_rule_is_refused_by_name(typed, code):
    with pytest.raises(TextError) as refused:
        domain.heading_read(typed)
    assert refused.value.code == code


def test_a_title_may_have_exactly_two_hundred_characters_beside_its_jira_id():
    assert len(domain.heading_read("[POPUG-42] " + "x" * 200).title) == 200


@given(jira_id=jira_ids, title=plain, dash=st.sampled_from(["", " ", " - ", " \u2013 "]))
def test_what_is_written_with_a_tag_is_read_back(jira_id, title, dash):
    heading = domain.heading_read(f"[{jira_id}]{dash}{title}")
    assert heading.jira_id == jira_id.upper()
    assert heading.title == domain.heading_read(title).title


@given(st.text(max_size=300))
def test_every_line_is_either_a_legal_title_or_refused(typed):
    with contextlib.suppress(TextError):
        heading = domain.heading_read(typed)
        assert 1 <= len(heading.title) <= 200
        assert len(heading.title.splitlines()) == 1
        assert not set(heading.title) & set("[]")
        assert domain.heading_read(heading.title).title == heading.title


def test_a_description_keeps_its_line_breaks_and_counts_each_once():
    assert domain.description_read(" one\r\ntwo\rthree ") == "one\ntwo\nthree"
    assert len(domain.description_read("\r\n".join(["x"] * 5_000) + "y")) == 10_000
    with pytest.raises(TextError) as refused:
        domain.description_read("x" * 10_001)
    assert refused.value.code == "description"


def test_each_task_is_drawn_on_its_own_and_everybody_equally_often():
    draws = Counter(domain.draw_each(10_000, "abcd", rng=random.Random(1)))
    assert set(draws) == set("abcd")
    assert all(2_300 < n < 2_700 for n in draws.values())
    assert len(set(draws.values())) > 1, "dealt out in turn, not drawn"


def test_the_same_randomness_draws_the_same_worker():
    assert domain.draw(range(99), rng=random.Random(7)) == domain.draw(range(99), rng=random.Random(7))


def test_nobody_is_drawn_from_nobody():
    with pytest.raises(IndexError):
        domain.draw([], rng=random.Random(1))


def test_task_ids_are_version_7_and_rise_with_time():
    rng = random.Random(3)
    ids = [domain.task_id_new(now=NOW + timedelta(milliseconds=n), rng=rng) for n in range(50)]
    assert ids == sorted(ids)
    assert {made.version for made in ids} == {7}
    assert {made.variant for made in ids} == {"specified in RFC 4122"}
    assert int(ids[0].hex[:12], 16) == int(NOW.timestamp() * 1000)


def test_an_assignment_made_after_its_worker_left_has_crossed():
    assert domain.leaver_cause(assigned_at=NOW, left_at=NOW) == "left"
    assert domain.leaver_cause(assigned_at=NOW - timedelta(seconds=1), left_at=NOW) == "left"
    assert domain.leaver_cause(assigned_at=NOW + timedelta(seconds=1), left_at=NOW) == "crossed"


@pytest.mark.parametrize(
    ("role", "leads"), [("admin", True), ("manager", True), ("finance", False), ("worker", False), ("", False)]
)
def test_managers_and_admins_lead(role, leads):
    assert domain.is_leader(role) is leads


def test_the_assignee_and_leaders_complete_and_nobody_completes_a_waiting_task():
    me, other = uuid4(), uuid4()
    assert domain.may_complete(actor_id=me, role="worker", assignee_id=me)
    assert domain.may_complete(actor_id=me, role="manager", assignee_id=other)
    assert not domain.may_complete(actor_id=me, role="worker", assignee_id=other)
    assert not domain.may_complete(actor_id=me, role="finance", assignee_id=other)
    assert not domain.may_complete(actor_id=me, role="admin", assignee_id=None)


def test_only_who_pressed_done_may_undo_and_for_ten_minutes():
    me = uuid4()
    assert domain.may_undo(actor_id=me, completed_by_id=me, completed_at=NOW, now=NOW + timedelta(minutes=10))
    assert not domain.may_undo(
        actor_id=me, completed_by_id=me, completed_at=NOW, now=NOW + timedelta(minutes=10, seconds=1)
    )
    assert not domain.may_undo(actor_id=uuid4(), completed_by_id=me, completed_at=NOW, now=NOW)
    assert not domain.may_undo(actor_id=me, completed_by_id=None, completed_at=None, now=NOW)
