"""Ids are proper UUIDs, and those that are derived never change."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from vhpipe.attempt.identifiers import derived_id, random_identifier


@given(st.uuids(), st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3))
def test_derived_ids_are_those_of_the_standard(base: uuid.UUID, names: list[str]) -> None:
    assert derived_id(str(base), *names) == str(uuid.uuid5(base, "\0".join(names)))


def test_random_ids_are_of_version_4_and_all_different() -> None:
    made = {random_identifier() for _ in range(1000)}
    assert len(made) == 1000
    assert {(uuid.UUID(text).version, uuid.UUID(text).variant) for text in made} == {(4, uuid.RFC_4122)}
    assert all(str(uuid.UUID(text)) == text for text in made)
