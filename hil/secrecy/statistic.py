"""How far a clue agrees with the true order: Kendall's tau-b, the pairs of neighbours, and how likely chance is to do as well."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hil.secrecy.clues import Clue

_LEAST_BALLOTS = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """A clue's agreement with the truth.

    Attributes:
        clue: Its name.
        ballots: How many have a value.
        tau: 1 = the true order, -1 = its reverse, 0 = nothing.
        neighbours: Pairs that the clue puts side by side and that came one after the other.
        expected: How many such pairs a random order has.
        chance: How likely a random order is to agree as well, in tau (either way) or in neighbours.
    """

    clue: str
    ballots: int
    tau: float
    neighbours: int
    expected: float
    chance: float


def agreement(clue: Clue, order: Sequence[str]) -> Agreement | None:
    """Hold a clue against the order in which the ballots came; None where it gives no order at all."""
    known = [(place, clue.values[identity]) for place, identity in enumerate(order) if identity in clue.values]
    rank = {value: number for number, value in enumerate(sorted({value for _, value in known}))}
    ranks = [(place, rank[value]) for place, value in known]
    count = len(ranks)
    if count < _LEAST_BALLOTS or len(rank) == 1:
        return None
    times = Counter(number for _, number in ranks)
    tau, sigmas = _tau([number for _, number in ranks], [tied for tied in times.values() if tied > 1])
    sides = [
        (one, other)
        for (one, first), (other, second) in pairwise(sorted(ranks, key=lambda item: item[1]))
        if times[first] == times[second] == 1
    ]
    neighbours, expected = sum(abs(one - other) == 1 for one, other in sides), len(sides) * 2 / len(order)
    chance = min(math.erfc(abs(sigmas) / math.sqrt(2)), _at_least(neighbours, expected))
    return Agreement(clue.name, count, tau, neighbours, expected, chance)


def _tau(ranks: Sequence[int], ties: Sequence[int]) -> tuple[float, float]:
    """Tau-b against the order in which the ranks are given, and the same in standard deviations of random orders.

    The variance with ties in one of the rankings is Kendall's own (Rank Correlation Methods, chapter 4).
    """
    count = len(ranks)
    score = sum((later > earlier) - (later < earlier) for index, earlier in enumerate(ranks) for later in ranks[index + 1 :])
    pairs = count * (count - 1) / 2
    tied = sum(times * (times - 1) / 2 for times in ties)
    variance = (count * (count - 1) * (2 * count + 5) - sum(times * (times - 1) * (2 * times + 5) for times in ties)) / 18
    return score / math.sqrt(pairs * (pairs - tied)), score / math.sqrt(variance)


def _at_least(times: int, expected: float) -> float:
    """How likely so many or more are where `expected` are usual (Poisson: neighbours are rare and nearly independent)."""
    if times == 0:
        return 1.0
    term = math.exp(-expected + times * math.log(max(expected, 1e-9)) - math.lgamma(times + 1))
    tail = 0.0
    while term > 0 and term > tail * 1e-12:
        tail += term
        times += 1
        term *= expected / times
    return min(tail, 1.0)
