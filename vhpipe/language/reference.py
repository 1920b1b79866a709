"""What a value with references is made of."""

from enum import StrEnum
from typing import NamedTuple

PIPELINE = "pipeline"
FILE_ATTRIBUTES = ("url", "path", "hash", "size")
INPUT_FILE_ATTRIBUTES = ("url", "path", "hash")
GOALS = ("min", "max")
SIDES = ("input", "output")


class ReferenceKind(StrEnum):
    """What of a node, or of the pipeline, a reference speaks of."""

    PIPELINE = "pipeline parameter"
    ID = "id"
    VERSION_ID = "version_id"
    PARAMETER = "parameter"
    METADATA = "metadata"
    OUTPUT = "output"
    ARTIFACT = "artifact"
    MODEL_INPUT = "input model"
    MODEL_OUTPUT = "output model"


FILES = frozenset({ReferenceKind.OUTPUT, ReferenceKind.ARTIFACT, ReferenceKind.MODEL_INPUT, ReferenceKind.MODEL_OUTPUT})


class Reference(NamedTuple):
    """One `${…}`. `key` is a name, of outputs a glob, of models a name or an index; files have an `attribute`.

    `metric` and `goal` choose the best child of a task. `start` is the place of the `$` in the entire text, `node_at`
    and `key_at` are the characters of the node and of the key in it.
    """

    node: str
    kind: ReferenceKind
    key: str = ""
    attribute: str = ""
    metric: str = ""
    goal: str = ""
    text: str = ""
    start: int = 0
    node_at: tuple[int, int] = (0, 0)
    key_at: tuple[int, int] = (0, 0)

    @property
    def is_of_pipeline(self) -> bool:
        return self.kind is ReferenceKind.PIPELINE

    @property
    def is_place(self) -> bool:
        """Whether it is the URL or path of a file, which is known only on the machine that uses it."""
        return self.attribute in ("url", "path")


class BareWord(NamedTuple):
    """`${HOME}`: one word without a part behind it; as it names nothing of a node, it stays text."""

    name: str
    text: str
    start: int


class MalformedReference(NamedTuple):
    """What looks like a reference and is none. `word` is not one of the `known` where some are known."""

    message: str
    hint: str | None
    at: tuple[int, int]
    word: str = ""
    known: tuple[str, ...] = ()
    text: str = ""


Part = str | Reference | BareWord | MalformedReference
Template = tuple[str | Reference, ...]
"""What a value is made of: texts and references."""
