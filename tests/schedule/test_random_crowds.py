"""Whatever waits for whatever, all ends within the capacity; nothing is asked twice and nothing is forgotten."""

from random import Random

import pytest
from crowds import Crowd

from vhpipe.schedule.terms import SETTLED


@pytest.mark.parametrize("block", range(10))
def test_in_a_crowd_all_comes_to_an_end_within_the_capacity_and_nothing_is_asked_twice(block: int) -> None:
    for seed in range(block * 30, block * 30 + 30):
        crowd = Crowd(Random(seed))
        crowd.walk()
        assert crowd.scheduler.state.status in SETTLED, seed
        for name, node in crowd.scheduler.state.nodes.items():
            assert (node.queued, node.running, node.waits_because) == (0, 0, None), (seed, name)
