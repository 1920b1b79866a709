"""A run as its folder has it, the same for both doors."""

import time
from collections.abc import Callable

import msgspec
import pytest

from tests.told_runs import ToldRun
from vhpipe.api import Run
from vhpipe.project.open_run import PREPARING_S, open_run


@pytest.mark.parametrize(("age_s", "status"), [(0.0, "created"), (PREPARING_S + 60, "crashed")])
def test_a_run_without_an_engine_has_some_time_to_be_prepared(
    new_run: Callable[..., ToldRun], age_s: float, status: str
) -> None:
    run = new_run()
    info = msgspec.structs.replace(run.folder.info(), created_at=time.time() - age_s)
    run.folder.write_info(info)
    assert str(open_run(run.folder).view.status) == status
    assert Run.open(run.store.project).status == status
