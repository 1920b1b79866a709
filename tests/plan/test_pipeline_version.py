import pytest

from vhpipe.plan.pipeline_version import next_version


@pytest.mark.parametrize(
    ("declared", "taken", "version"),
    [
        ("1.2.0", ["1.2.0"], "1.2.1"),
        ("1.2.0", ["1.2.0", "1.2.1", "1.2.3"], "1.2.2"),
        ("1.2.9", ["1.2.9"], "1.2.10"),
        ("7", ["7"], "8"),
        ("1.x", ["1.x"], "1.x.0"),
    ],
)
def test_the_last_part_is_counted_up_until_nobody_has_it(declared: str, taken: list[str], version: str) -> None:
    assert next_version(declared, taken) == version
