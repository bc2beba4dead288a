"""A form sent twice has one effect, and both see the first result."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from sample.models import Sample

from chassis.form_keys import OneTimeForm, SentBefore, forget_before, once
from chassis.models import FormKey

KEY = UUID(int=1)
ACTOR = UUID(int=2)


def use(effect, **changes):
    return once(**{"key": KEY, "kind": "sample", "actor_id": ACTOR, "effect": effect} | changes)


def in_own_connection(function):
    try:
        return function()
    finally:
        connection.close()


class Effect:
    """An effect that waits in its transaction until it is let go."""

    def __init__(self, url, failing=False):
        self.url, self.failing = url, failing
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.runs = 0

    def __call__(self):
        self.runs += 1
        self.entered.set()
        assert self.let_go.wait(10)
        if self.failing:
            raise RuntimeError("rolled back")
        return self.url


def race(first, second):
    """Starts the second while the first is in its transaction; returns both results."""
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(in_own_connection, lambda: use(first))
        assert first.entered.wait(10)
        two = pool.submit(in_own_connection, lambda: use(second))
        assert not second.entered.wait(0.3)
        assert not two.done()
        first.let_go.set()
        second.let_go.set()
        return one, two


@pytest.mark.django_db(transaction=True)
def test_a_concurrent_repetition_waits_and_gets_the_first_result():
    first, second = Effect("/first"), Effect("/second")
    one, two = race(first, second)
    assert (one.result(), two.result()) == ("/first", "/first")
    assert second.runs == 0


@pytest.mark.django_db(transaction=True)
def test_a_concurrent_repetition_runs_if_the_first_was_rolled_back():
    first, second = Effect("/first", failing=True), Effect("/second")
    one, two = race(first, second)
    with pytest.raises(RuntimeError):
        one.result()
    assert two.result() == "/second"
    assert FormKey.objects.get().url == "/second"


@pytest.mark.django_db(transaction=True)
def test_an_effect_that_fails_leaves_the_key_unused():
    def effect():
        Sample.objects.create(title="half", made_at=timezone.now())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        use(effect)
    assert not Sample.objects.exists()
    assert use(lambda: "/again") == "/again"


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"kind": "other"}, {"actor_id": uuid4()}, {"actor_id": None}])
def test_a_key_of_another_form_or_person_is_refused(changes):
    use(lambda: "/first")
    with pytest.raises(PermissionDenied, match="another form"):
        use(lambda: "/second", **changes)


@pytest.mark.django_db
def test_a_used_key_with_other_content_is_told_so_and_runs_nothing():
    assert use(lambda: "/first", sent="a") == "/first"
    assert use(lambda: "/again", sent="a") == "/first"
    with pytest.raises(SentBefore):
        use(lambda: "/second", sent="b")
    assert use(lambda: "/third", sent="") == "/first"


@pytest.mark.django_db
def test_a_repetition_of_what_stands_no_more_is_told_so_and_runs_nothing():
    assert use(lambda: "/first", stands=lambda: False) == "/first"
    assert use(lambda: "/again", stands=lambda: True) == "/first"
    with pytest.raises(SentBefore):
        use(lambda: "/second", stands=lambda: False)


@pytest.mark.django_db
def test_a_key_from_before_contents_were_kept_is_taken_as_a_repetition():
    use(lambda: "/first")
    assert use(lambda: "/second", sent="b") == "/first"


def test_what_a_form_sent_is_its_fields_without_the_key():
    class Form(OneTimeForm):
        title = forms.CharField()

    def sent(**data):
        return Form(data).sent()

    assert sent(title="a", form_key=str(KEY)) == sent(title="a", form_key=str(ACTOR), other="x")
    assert sent(title="a") != sent(title="b")


def test_a_form_sent_twice_books_once_and_goes_to_the_same_page(browser):
    client = browser("worker")
    sent = {"title": "Wash", "amount": "3.50", "form_key": str(uuid4())}
    first, again = client.post("/samples/new", sent), client.post("/samples/new", sent)
    assert first["Location"] == again["Location"] == "/samples?q=Wash"
    assert [sample.cents for sample in Sample.objects.all()] == [350]


def test_each_form_shown_has_a_key_of_its_own(browser):
    class Form(OneTimeForm):
        pass

    keys = {str(Form()["form_key"]) for _ in range(3)}
    assert len(keys) == 3


def test_a_form_with_errors_keeps_its_key_and_what_was_typed(browser):
    key = str(uuid4())
    response = browser("worker").post("/samples/new", {"title": "", "amount": "12.345", "form_key": key})
    assert response.status_code == 422
    assert key.encode() in response.content
    assert b'value="12.345"' in response.content


def test_a_form_without_a_key_is_an_error_of_the_form(browser):
    response = browser("worker").post("/samples/new", {"title": "Wash"})
    assert response.status_code == 422
    assert not Sample.objects.exists()


@pytest.mark.django_db
def test_old_keys_are_forgotten_and_young_ones_kept():
    use(lambda: "/old")
    FormKey.objects.update(created_at=timezone.now() - timedelta(days=91))
    use(lambda: "/young", key=uuid4())
    assert forget_before(timezone.now() - timedelta(days=90)) == 1
    assert FormKey.objects.get().url == "/young"
