"""What shells read differently from bare words: quotes, expansions, arithmetic, `[[ ]]`.

Source: decision 9.
"""

from bisect import bisect_left
from collections.abc import Sequence
from re import ASCII
from re import compile as compile_pattern
from typing import NamedTuple

from vhpipe.command.shell_word import EXPANSION, HOLE, Word

UNSURE = "where it is unclear how the shell reads it"
SUBSCRIPT = "inside a subscript or a pattern"
VARIABLE = compile_pattern(r"\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])", ASCII)
PLAIN_EXPANSION = compile_pattern(r"\$\{[^'\"\\`\n{}()<>]*\}")
PLAIN_IN_DOUBLE_QUOTES = compile_pattern(r"[^\"\\`$\0]+")


class Hole(NamedTuple):
    """A place in the text where a value comes. `may_vanish`: it could become no text at all."""

    start: int
    end: int
    may_vanish: bool = False


class UnsureError(Exception):
    """From here on nothing is certain."""


class Quoting:
    """A place in a script, and how to get past what quotes and expands. What the holes stand in is in `contexts`."""

    def __init__(self, text: str, holes: Sequence[Hole]) -> None:
        self.holes = holes
        self.contexts: list[str | None] = [UNSURE] * len(holes)
        self._starts = [hole.start for hole in holes]
        self._at = {hole.start: index for index, hole in enumerate(holes)}
        self._text = _without_holes(text, holes)
        self._i = 0
        self._has_documents = False

    def commands(self, closing: str) -> list[int]:
        """Read commands up to the closing parenthesis; the holes that were met."""
        raise NotImplementedError

    def inside(self, start: int, end: int) -> list[int]:
        """The holes that begin between two places."""
        return list(range(bisect_left(self._starts, start), bisect_left(self._starts, end)))

    def refuse(self, holes: Sequence[int], context: str) -> None:
        """Say where holes stand that are not bare; what was said before holds."""
        for index in holes:
            if self.contexts[index] in (None, UNSURE):
                self.contexts[index] = context

    def _char(self, offset: int = 0) -> str:
        return self._text[self._i + offset : self._i + offset + 1]

    def _quoted_part(self, word: Word) -> bool:
        """Read past what begins here, if it quotes or expands; whether it did."""
        match self._char():
            case "'":
                self._single_quotes(word)
            case '"':
                self._double_quotes(word)
            case "`":
                self._backticks(word)
            case "$":
                self._dollar(word, is_quoted=False)
            case _:
                return False
        return True

    def _single_quotes(self, word: Word) -> None:
        end = self._text.find("'", self._i + 1)
        end = len(self._text) if end < 0 else end
        self._add_quoted(word, self._text[self._i + 1 : end].replace(HOLE, EXPANSION))
        word.inner += self.inside(self._i, end)
        self.refuse(self.inside(self._i, end), "inside single quotes")
        self._i = end + 1

    def _double_quotes(self, word: Word) -> None:
        self._i += 1
        self._add_quoted(word, "")
        while (char := self._char()) not in ("", '"'):
            if plain := PLAIN_IN_DOUBLE_QUOTES.match(self._text, self._i):
                self._add_quoted(word, plain[0])
                self._i = plain.end()
            elif self._i in self._at:
                self._hole_within(word, "inside double quotes")
            elif char == "\\":
                self._refuse_hole_next()
                self._add_quoted(word, self._char(1))
                self._i += 2
            elif char == "`":
                self._backticks(word)
            else:
                self._dollar(word, is_quoted=True)
        self._i += 1

    def _backticks(self, word: Word) -> None:
        start = end = self._i + 1
        while end < len(self._text) and self._text[end] != "`":
            end += 2 if self._text[end] == "\\" else 1
        within = self.inside(start, end)
        after_backslash = any(self._text[self.holes[index].start - 1] == "\\" for index in within)
        if end >= len(self._text) or after_backslash or (self._has_documents and "\n" in self._text[start:end]):
            raise UnsureError
        self.refuse(within, "inside backticks")
        word.add(EXPANSION)
        self._i = end + 1

    def _dollar(self, word: Word, is_quoted: bool) -> None:
        self._refuse_hole_next()
        following = self._char(1)
        if following == "[" or (following == "'" and not is_quoted):
            raise UnsureError  # `$'…'` is one thing in bash and another in dash
        word.add(EXPANSION)
        if self._text.startswith("$((", self._i):
            self._i += 1
            self._arithmetic(separators=False)
        elif following == "(":
            self._i += 2
            nested = self.commands(")")
            word.nested += nested
            if "[" in word.text:
                self.refuse(nested, SUBSCRIPT)
        elif following == "{":
            match = PLAIN_EXPANSION.match(self._text, self._i)
            if match is None or HOLE in match[0]:
                raise UnsureError
            self._i = match.end()
        else:
            match = VARIABLE.match(self._text, self._i)
            self._i = match.end() if match else self._i + 1

    def _arithmetic(self, separators: bool) -> None:
        """From `((` to its `))`; whatever could make it two subshells is unsure."""
        start, depth = self._i, 2
        self._i += 2
        while depth:
            char = self._char()
            is_comment = char == "#" and self._text[self._i - 1] in " \t"
            if char in ("", "'", '"', "\\", "`", "\n") or is_comment or (char == ";" and not separators):
                raise UnsureError
            depth += {"(": 1, ")": -1}.get(char, 0)
            self._i += 1
            if depth == 1 and char == ")" and self._char() != ")":
                raise UnsureError
        self.refuse(self.inside(start, self._i), "in arithmetic")

    def _double_brackets(self) -> None:
        """From behind `[[ ` to its `]]`."""
        word = Word()
        while not (self._text.startswith("]]", self._i) and self._text[self._i - 1] in " \t\n"):
            char = self._char()
            if self._i in self._at:
                self._hole_within(word, "inside `[[ ]]`")
            elif not char or (char == "#" and self._text[self._i - 1] in " \t\n"):
                raise UnsureError
            elif char == "\\":
                self._refuse_hole_next()
                self._i += 2
            elif not self._quoted_part(word):
                self._i += 1
        self.refuse(word.nested, "inside `[[ ]]`")
        self._i += 2
        if self._char() not in ("", *" \t\n;&|)"):
            raise UnsureError

    def _hole_within(self, word: Word, context: str) -> None:
        index = self._at[self._i]
        self.refuse([index], context)
        word.inner.append(index)
        word.add(EXPANSION)
        self._i = self.holes[index].end

    def _refuse_hole_next(self) -> None:
        """A hole behind a backslash or a dollar: what these do to it depends on the value."""
        if self._i + 1 in self._at:
            raise UnsureError

    def _add_quoted(self, word: Word, text: str) -> None:
        if self._has_documents and "\n" in text:
            raise UnsureError
        word.quoted = True
        word.add(text)


def _without_holes(text: str, holes: Sequence[Hole]) -> str:
    """The text with NUL for every character of a hole: what is written there is never seen by the shell."""
    parts, end = [], 0
    for hole in holes:
        parts += [text[end : hole.start], HOLE * (hole.end - hole.start)]
        end = hole.end
    return "".join((*parts, text[end:]))
