"""Which inputs' folders a command unpacks archives into."""

import pytest

from vhpipe.command.unpacked_inputs import unpacks_into_inputs


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("tar -xf /valohai/inputs/set/*.tar -C /valohai/inputs/set/", "set"),
        ("tar xf /valohai/inputs/set/a.tar.gz -C /valohai/inputs/set/", "set"),
        ("tar --extract --file a.tar --directory=$VH_INPUTS_DIR/set/x", "set"),
        ("tar -C '/valohai/inputs/a b' -xf x.tar", "a b"),
        ("cd ${VH_INPUTS_DIR:-/valohai/inputs}/set && tar xzf a.tgz", "set"),
        ("cd /valohai/inputs/set\nunzip -q a.zip; cd -; unzip b.zip", "set"),
        ("unzip -d /valohai/inputs/one a.zip && 7z x -o/valohai/inputs/two b.7z", "one two"),
        ("bash -c 'unzip a.zip -d /valohai/inputs/set'", "set"),
        ("tar -cf /valohai/outputs/x.tar -C /valohai/inputs/set .", ""),
        ("tar tf /valohai/inputs/set/x.tar", ""),
        ("tar xf /valohai/inputs/set/x.tar -C /tmp", ""),
        ("tar xf /valohai/inputs/set/x.tar", ""),
        ("unzip /valohai/inputs/set/x.zip -d data", ""),
        ("cd /valohai/inputs/set && ls *.tar", ""),
        ("echo tar xf a -C /valohai/inputs/set", ""),
        ("python start.py --inputs x", ""),
    ],
)
def test_the_folder_is_that_of_the_input_that_the_archive_goes_into(command: str, names: str) -> None:
    assert unpacks_into_inputs((command,)) == set(filter(None, [names] if " b" in names else names.split()))


def test_the_working_directory_is_kept_from_one_line_to_the_next() -> None:
    assert unpacks_into_inputs(("cd /valohai/inputs/set", "tar xf /valohai/inputs/set/a.tar")) == {"set"}
