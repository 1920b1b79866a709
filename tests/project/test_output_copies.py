from hypothesis import given
from hypothesis import strategies as st

from vhpipe.project.output_copies import folder_name

NAMES = st.text(st.sampled_from("a./%2F\0"))


@given(NAMES, NAMES)
def test_different_nodes_get_different_folders(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) == (one == other)


@given(NAMES)
def test_a_folder_name_is_one_part_of_a_path(name: str) -> None:
    assert not {"/", "\0"} & set(folder_name(name))
    assert folder_name(name) not in {".", ".."}
