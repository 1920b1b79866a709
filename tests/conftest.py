"""Settings of all tests: a busy machine must not fail a property by being slow, nor a shell that ignores Ctrl-C.

`make test` draws fewer examples for each property (`--hypothesis-profile=quick`) than `make test-all`.
"""

import inspect
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("vhpipe", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("quick", settings.get_profile("vhpipe"), max_examples=40)
settings.load_profile("vhpipe")

# A shell starts what it runs in the background with SIGINT ignored, and programs hand that on to those they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


CALLS = 150
LEVELS = 2 * CALLS


@pytest.fixture
def deep_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file `deepest` below more folders than Python may nest calls, for the time of the test.

    A thousand of each, which is what users meet, take seconds to make.
    """
    folder = tmp_path / "nested"
    Path(folder, *["d"] * LEVELS).mkdir(parents=True)
    Path(folder, *["d"] * LEVELS, "deepest").write_text("here")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(context=0)) + CALLS)
    yield folder
    sys.setrecursionlimit(limit)
