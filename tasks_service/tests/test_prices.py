from uuid import uuid4

import pytest

from eventbus import Event
from eventbus.models import DeadLetter
from eventbus.testing import deliver
from tasks import selectors
from tasks.models import TaskPrice

from .support.people import NOW, person
from .support.work import new_task

pytestmark = pytest.mark.django_db


def priced(task_id, fee=1500, reward=3200) -> Event:
    data = {"task_id": str(task_id), "fee": fee, "reward": reward, "currency": "USD", "key_id": "k1"}
    return Event(name="TaskPriced", version=1, key=str(task_id), time=NOW, data=data)


@pytest.fixture
def task():
    person("worker")
    return new_task(person("manager"))


def test_a_task_is_being_priced_until_its_price_arrives(task):
    assert not hasattr(selectors.task_get(task.pk), "price")
    deliver("prices", [priced(task.pk)])
    price = selectors.task_get(task.pk).price
    assert (price.fee, price.reward, price.currency) == (1500, 3200, "USD")
    assert str(price) == f"{task.pk}: 1500/3200 USD"


def test_a_price_that_comes_before_its_task_is_kept():
    task_id = uuid4()
    deliver("prices", [priced(task_id)])
    assert TaskPrice.objects.get(task_id=task_id).reward == 3200


def test_the_same_price_again_changes_nothing(task):
    event = priced(task.pk)
    deliver("prices", [event, event, priced(task.pk)])
    deliver("prices", [event])
    assert TaskPrice.objects.count() == 1
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize("together", [True, False])
def test_another_price_for_the_same_task_is_a_dead_letter_and_the_first_stays(task, together):
    other = uuid4()
    batches = [[priced(task.pk), priced(task.pk, fee=1600), priced(other)]]
    if not together:
        batches = [[priced(task.pk)], [priced(task.pk, fee=1600), priced(other)]]
    for batch in batches:
        deliver("prices", batch)
    assert TaskPrice.objects.get(task_id=task.pk).fee == 1500
    assert TaskPrice.objects.filter(task_id=other).exists(), "other tasks go on"
    (dead,) = DeadLetter.objects.all()
    assert dead.key_text == str(task.pk)
