"""One word of a shell script, as far as it is known what the shell makes of it."""

HOLE = "\0"
"""Stands in a word's text for a value."""
EXPANSION = "\1"
"""Stands in a word's text for anything that the shell puts there."""

MAX_WORD = 4096
NOT_WRITTEN_OUT = frozenset(HOLE + EXPANSION + "{*?[")


class Word:
    """A word as far as it is known: its text without quotes, and the holes in it, in its quotes and substitutions."""

    __slots__ = ("holes", "inner", "nested", "quoted", "refused", "text")

    def __init__(self) -> None:
        self.text = ""
        self.quoted = False
        self.holes: list[int] = []
        self.inner: list[int] = []
        self.nested: list[int] = []
        self.refused: list[tuple[int, str]] = []

    def add(self, text: str) -> None:
        """Text up to a length that no command's name has; what is longer is not known any more."""
        if len(self.text) <= MAX_WORD:
            self.text += text if len(text) <= MAX_WORD else EXPANSION

    @property
    def name(self) -> str | None:
        """The last part of the path that the word is, if that part is written out."""
        name = self.text.rpartition("/")[2]
        return name if name in ("[", "[[", "{") or NOT_WRITTEN_OUT.isdisjoint(name) else None

    @property
    def is_literal(self) -> bool:
        return HOLE not in self.text and EXPANSION not in self.text

    def stays_one(self, may_have_hole: bool = False) -> bool:
        """Whether it is one word whatever the shell puts in; without quotes that could be nothing, or several words."""
        return (may_have_hole or HOLE not in self.text) and (self.quoted or EXPANSION not in self.text)
