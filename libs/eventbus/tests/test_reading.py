"""Reading a whole topic again."""

import pytest
from sample.published import order

from eventbus import Unreadable, read_topic


def place(event):
    return event.partition, event.offset


def test_all_is_told_with_repetitions_in_the_order_of_each_key(kafka):
    told = [("o1", 1), ("o2", 5), ("o1", 2), ("o1", 1), ("o3", 7), ("o2", 6)]
    for key, number in told:
        kafka.send(order("OrderState", key, number))
    found = list(read_topic("orders-stream"))
    assert {key: [event.data["number"] for event in found if event.key == key] for key in ("o1", "o2", "o3")} == {
        "o1": [1, 2, 1],
        "o2": [5, 6],
        "o3": [7],
    }
    assert all(event.received_at and event.topic == "orders-stream" for event in found)
    again = list(read_topic("orders-stream"))  # partitions come as they come
    assert sorted(again, key=place) == sorted(found, key=place)


def test_an_empty_topic_tells_nothing(kafka):
    assert list(read_topic("orders-stream")) == []


def test_what_cannot_be_read_ends_it_or_is_left_to_who_asks(kafka):
    kafka.send(order("OrderState", "o1", 7), value=b"\x00 is no event")
    kafka.send(order("OrderState", "o1", 8))
    with pytest.raises(Unreadable, match=r"orders-stream/\d at 0: "):
        list(read_topic("orders-stream"))
    left = []
    assert [event.data["number"] for event in read_topic("orders-stream", unreadable=left.append)] == [8]
    assert len(left) == 1
