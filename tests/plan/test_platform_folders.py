"""What of a step needs `/valohai/…`, and what only says it."""

import pytest

from vhpipe.plan.platform_folders import everywhere_right, platform_path_in

NEEDED = {
    "cat /valohai/inputs/a/b": "/valohai/inputs/a/b",
    "tar -xf /valohai/inputs/d/*.tar -C/valohai/inputs": "/valohai/inputs/d/*.tar",
    "gcc -o/valohai/outputs/x x.c": "/valohai/outputs/x",
    "dd if=/dev/zero >/valohai/outputs/{parameter-value:name}.bin": "/valohai/outputs/",
    "python train.py --out=/valohai/outputs": "/valohai/outputs",
    "curl -F file=@/valohai/inputs/x url": "/valohai/inputs/x",
    "cp $VH_INPUTS_DIR/x /valohai/outputs/": "/valohai/outputs/",
    "cat ${VH_INPUTS_DIR:-/valohai/inputs}/a > /valohai/outputs/a": "/valohai/outputs/a",
    "echo done > /valohai/outputs/done": "/valohai/outputs/done",
    "echo $(cat /valohai/inputs/x)": "/valohai/inputs/x",
    "cd /valohai/repository && make": "/valohai/repository",
    "path = '/valohai/config/parameters.json'": "/valohai/config/parameters.json",
    "# first a comment\nls '/valohai/inputs'": "/valohai/inputs",
}
SAID = (
    "cat ${VH_INPUTS_DIR:-/valohai/inputs}/a/b",
    ': "${VH_OUTPUTS_DIR:=/valohai/outputs}"',
    "os.getenv('VH_OUTPUTS_DIR', '/valohai/outputs')",
    'os.environ.get("VH_OUTPUTS_DIR", default="/valohai/outputs")',
    "os.environ.get('VH_INPUTS_DIR') or '/valohai/inputs'",
    "process.env.VH_OUTPUTS_DIR || '/valohai/outputs'",
    "echo results are in /valohai/outputs",
    "  # it is in /valohai/outputs",
    "cd valohai; ls",
    "[ -d /valohai ] && ls",
    "git clone https://github.com/valohai/inputs",
    "ls ~/valohai/outputs $HOME/valohai/inputs ./valohai/outputs /home/u/valohai/inputs",
    "ls /valohai/outputs-old /valohai/inputs_2",
)


@pytest.mark.parametrize(("text", "path"), NEEDED.items())
def test_a_path_that_must_be_there_is_found(text: str, path: str) -> None:
    assert platform_path_in(text) == path


@pytest.mark.parametrize("text", SAID)
def test_what_is_right_everywhere_or_only_talk_is_not(text: str) -> None:
    assert platform_path_in(text) is None


def test_what_is_offered_instead_is_not_found_again() -> None:
    for path in ("/valohai/outputs", "/valohai/inputs/a/b.csv", "/valohai/repository/x"):
        assert platform_path_in(f"cat {everywhere_right(path)}") is None
    assert everywhere_right("/valohai/inputs/a/b.csv") == "${VH_INPUTS_DIR:-/valohai/inputs}/a/b.csv"
