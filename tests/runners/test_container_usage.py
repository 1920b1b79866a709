"""What is read of a container's own account of what it has used."""

import subprocess
from pathlib import Path

import pytest

from vhpipe.attempt.launch import Usage
from vhpipe.runners.container_tools import ToolFacts
from vhpipe.runners.container_usage import ContainerUsage, measured, read_usage

KNOWS_MEMORY = ToolFacts("1", limits=frozenset({"memory"}))
TIMES = "0m0.010s 0m0.010s\n1m2.500s 0m0.250s\n"


@pytest.mark.parametrize(
    ("text", "facts", "used"),
    [
        (TIMES + "peak 5000000\noom_kill 0\n", KNOWS_MEMORY, ContainerUsage(Usage(62.75, 5000000))),
        (TIMES + "peak 5000000\nlow 0\noom_kill 1\n", KNOWS_MEMORY, ContainerUsage(Usage(62.75, 5000000), True)),
        (TIMES + "peak 5000000\noom_kill 1\n", ToolFacts("1"), ContainerUsage(Usage(62.75))),
        (TIMES + "peak -1\npeak x\n", KNOWS_MEMORY, ContainerUsage(Usage(62.75))),
        ("0m0.010s 0m0.010s\n", KNOWS_MEMORY, ContainerUsage()),
        ("forged\n" * 1000, KNOWS_MEMORY, ContainerUsage()),
        ("", KNOWS_MEMORY, ContainerUsage()),
    ],
)
def test_what_a_container_says_it_has_used_counts_as_far_as_it_is_plausible(
    tmp_path: Path, text: str, facts: ToolFacts, used: ContainerUsage
) -> None:
    (tmp_path / "usage").write_text(text)
    assert read_usage(f"{tmp_path}/usage", facts) == used
    assert read_usage(f"{tmp_path}/nothing", facts) == ContainerUsage()


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_measured_command_ends_with_its_own_code(tmp_path: Path, shell: str) -> None:
    work = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; kill -TERM $PPID; exit 7"
    script = measured(f"{shell} -c '{work}'", f"{tmp_path}/usage")
    assert subprocess.run([shell, "-c", script], check=False).returncode == 7
    found = read_usage(f"{tmp_path}/usage", ToolFacts("1"))
    assert found.usage is not None
    assert found.usage.cpu_s > 0
