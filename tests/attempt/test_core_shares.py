"""Which cores a process tree is kept to."""

import pytest

from vhpipe.attempt.core_shares import CoreShares, allowed_cores
from vhpipe.plan.agent_controls import CpuLimit

ALONE = pytest.mark.skipif(len(allowed_cores()) < 2, reason="there is one core only")


@ALONE
def test_trees_get_the_cores_that_are_least_used() -> None:
    shares = CoreShares()
    first, second = shares.take(CpuLimit(1)), shares.take(CpuLimit(1))
    assert first.isdisjoint(second)
    shares.give_back(first)
    assert shares.take(CpuLimit(1)) == first


@ALONE
def test_a_list_of_cores_is_taken_as_far_as_they_are_there() -> None:
    core = max(allowed_cores())
    assert CoreShares().take(CpuLimit(2, frozenset({core, 4000}))) == {core}


def test_a_limit_above_what_is_there_limits_nothing() -> None:
    assert CoreShares().take(CpuLimit(4000)) == frozenset()
