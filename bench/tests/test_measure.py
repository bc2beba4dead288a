import json

import pytest

from bench.measure import Aim, Figure, percentile, ratios
from bench.report import number, table, write


def test_a_percentile_is_a_value_that_was_measured():
    assert percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile(range(1, 102), 0.99) == 100
    assert percentile([7], 0.99) == 7


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_a_figure_is_the_median_of_its_runs_with_their_spread():
    figure = Figure("relay", "rows/s", (100, 400, 200))
    assert figure.value == 200
    assert figure.spread == 1.5


def test_an_aim_is_a_floor_or_a_ceiling():
    assert Figure("share", "", (0.6,), Aim(0.5, at_least=True)).reached is True
    assert Figure("share", "", (0.4,), Aim(0.5, at_least=True)).reached is False
    assert Figure("seconds", "s", (10,), Aim(10)).reached is True
    assert Figure("seconds", "s", (10.1,), Aim(10)).reached is False
    assert Figure("seconds", "s", (10.1,)).reached is None


def test_ratios_compare_the_runs_that_were_neighbours():
    assert ratios([10, 30], [20, 40]) == (0.5, 0.75)
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


def test_the_table_names_what_was_missed():
    lines = table([Figure("reassign", "s", (12.0,), Aim(10)), Figure("bare", "s", (1.0,))]).splitlines()
    assert lines[1].split() == ["reassign", "12.0", "12.0", "12.0", "s", "<=", "10", "NO"]
    assert lines[2].split() == ["bare", "1.00", "1.00", "1.00", "s"]


@pytest.mark.parametrize(("value", "text"), [(12345.6, "12,346"), (99.94, "99.9"), (1.234, "1.23"), (0.5, "0.50")])
def test_numbers_have_as_many_digits_as_count(value, text):
    assert number(value) == text


def test_a_benchmark_that_was_not_run_keeps_its_results(tmp_path):
    path = tmp_path / "results.json"
    write({"relay": [Figure("relay", "rows/s", (1.0,))]}, path)
    write({"pages": [Figure("list", "ms", (2.0,))]}, path)
    assert {name: found["figures"][0]["median"] for name, found in json.loads(path.read_text()).items()} == {
        "relay": 1.0,
        "pages": 2.0,
    }


def test_the_results_hold_figures_and_facts_but_no_names_or_places(tmp_path):
    path = tmp_path / "results.json"
    write({"relay": [Figure("relay", "rows/s", (12345.678, 12355.0), Aim(10, at_least=True))]}, path)
    found = json.loads(path.read_text())["relay"]
    assert found["figures"][0] == {
        "name": "relay",
        "unit": "rows/s",
        "median": 12350.0,
        "lowest": 12350.0,
        "highest": 12360.0,
        "spread": 0.001,
        "runs": 2,
        "aim": ">= 10",
        "reached": True,
    }
    assert found["machine"]["cores"] > 0
    assert "/" not in json.dumps(found["machine"])
