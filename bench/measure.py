"""What the benchmarks compute with: medians, percentiles, and figures with an aim."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed. ValueError without values."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    ordered = sorted(values)
    needed = -(-len(ordered) * round(share * 10_000) // 10_000)  # rounded up, in whole numbers
    return ordered[max(needed, 1) - 1]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should reach: at least, or at most, a value."""

    value: float
    at_least: bool = False

    def reached(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.value if self.at_least else value <= self.value

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, once or several times; its value is the median."""

    name: str
    unit: str
    runs: tuple[float, ...]
    aim: Aim | None = None

    @property
    def value(self) -> float:
        """The median of the runs."""
        return median(self.runs)

    @property
    def spread(self) -> float:
        """How far lowest and highest run are apart, as a share of the median."""
        return (max(self.runs) - min(self.runs)) / self.value if self.value else 0.0

    @property
    def reached(self) -> bool | None:
        """Whether the median reaches the aim; None where there is none."""
        return None if self.aim is None else self.aim.reached(self.value)

    def as_json(self) -> dict[str, Any]:
        """As it stands in `results.json`."""
        found: dict[str, Any] = {
            "name": self.name,
            "unit": self.unit,
            "median": _rounded(self.value),
            "lowest": _rounded(min(self.runs)),
            "highest": _rounded(max(self.runs)),
            "spread": round(self.spread, 3),
            "runs": len(self.runs),
        }
        return found if self.aim is None else found | {"aim": str(self.aim), "reached": self.reached}


def ratios(over: Sequence[float], under: Sequence[float]) -> tuple[float, ...]:
    """Run by run, the one as a share of the other: what both were slowed down by cancels out."""
    return tuple(a / b for a, b in zip(over, under, strict=True))


def _rounded(value: float) -> float:
    """Four figures that count; more would be noise."""
    return float(f"{value:.4g}")
