"""Where in a shell script a value may be put as a quoted word, and where it would be read as something else.

A scanner for bash and dash at once that knows little and admits it: what it does not recognise, or what the two shells
read differently, makes everything behind it unsure.
Source: decision 9.
"""

from collections.abc import Sequence
from contextlib import suppress
from re import ASCII
from re import compile as compile_pattern
from typing import NamedTuple

from vhpipe.command.shell_quoting import SUBSCRIPT, Hole, Quoting, UnsureError
from vhpipe.command.shell_word import EXPANSION, HOLE, Word
from vhpipe.command.shell_words import ASSIGNMENT, judge

MAX_DEPTH = 40
DELIMITER = compile_pattern(r"-?[ \t]*(?:'([\w.-]+)'|\"([\w.-]+)\"|(\\?)([\w.]+))(?=[\s;&|)<>]|$)", ASCII)
FILE_NUMBER_OR_NAME = compile_pattern(r"[0-9]+|\{\w+\}")
PLAIN = compile_pattern(r"[^ \t\n;&|()<>\\'\"`$\0]+")
ATTRIBUTES = compile_pattern(r"\b(?:declare|typeset|local|readonly|export)\b[^\n;|&]*[ \t][-+]\w*[in]", ASCII)
"""Gives a variable an attribute by which every assignment to it is evaluated."""


class QuotingContext(NamedTuple):
    """Where a hole stands, as the end of a sentence; None for a bare word. `delimiter` is that of a here-document."""

    context: str | None
    delimiter: str | None = None


def surroundings(text: str, holes: Sequence[Hole]) -> tuple[QuotingContext, ...]:
    """What surrounds each hole of a script, in order. Only a bare word (also within `$(…)`) has context None."""
    scanner = _Scanner(text, holes)
    with suppress(UnsureError):
        scanner.commands("")
    if ATTRIBUTES.search(text):
        scanner.refuse(scanner.assigned, "in an assignment, where a variable may have an attribute that evaluates")
    return tuple(
        QuotingContext(context, scanner.delimiters.get(index)) for index, context in enumerate(scanner.contexts)
    )


class _Document(NamedTuple):
    """A here-document that begins with the next line."""

    delimiter: str
    is_quoted: bool
    strips_tabs: bool


class _Scanner(Quoting):
    """Reads commands: separators, parentheses, redirections, here-documents, comments."""

    def __init__(self, text: str, holes: Sequence[Hole]) -> None:
        super().__init__(text, holes)
        self.delimiters: dict[int, str] = {}
        self.assigned: list[int] = []
        self._depth = 0
        self._documents: list[_Document] = []

    def commands(self, closing: str) -> list[int]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnsureError
        outer, self._documents = self._documents, []
        self._has_documents = False
        first = self._i
        frame = _Frame(self)
        while self._i < len(self._text) and not (closing and self._char() == closing):
            self._step(frame)
        frame.end_command()
        if closing and (self._i >= len(self._text) or self._documents):
            raise UnsureError
        if outer and "\n" in self._text[first : self._i]:
            raise UnsureError
        self._i += len(closing)
        self._documents, self._has_documents = outer, bool(outer)
        self._depth -= 1
        return self.inside(first, self._i)

    def heed(self, word: Word) -> None:
        """Words that change how the shell reads what is behind them."""
        if word.quoted:
            return
        if word.text == "case" and self._depth > 1:
            raise UnsureError  # its patterns have parentheses without a partner
        if word.text == "[[":
            if self._text[self._i - 1] not in " \t":
                raise UnsureError
            self._double_brackets()

    def settle(self, words: Sequence[Word], targets: Sequence[tuple[Word, str]], has_input: bool) -> None:
        """Write down what is known of the holes of one simple command and the targets of its redirections."""
        verdict = judge(words)
        for index, context in verdict.contexts:
            self.contexts[index] = context
        for index, context in verdict.in_code:
            self.contexts[index] = context
        self.refuse(verdict.nested, verdict.nested_context)
        for word, operator in targets:
            runs = verdict.runs_stdin and operator != ">"
            for index in word.holes:
                self.contexts[index] = "in text that a command runs" if runs else None
            if runs:
                self.refuse(word.nested, "in text that a command runs")
        for word in (*words, *(word for word, _ in targets)):
            for index, context in word.refused:
                self.contexts[index] = context
            if ASSIGNMENT.match(word.text):
                self.assigned += word.holes
        if verdict.runs_stdin and not has_input:
            own = {index for word in words for index in word.holes}
            earlier = [index for index in self.inside(0, self._i) if index not in own]
            self.refuse(earlier, "before a command that runs what flows into it")

    # ── one thing at a time ──────────────────────────────────────────────────────────────────────

    def _step(self, frame: "_Frame") -> None:
        char = self._char()
        if self._i in self._at:
            self._bare_hole(frame)
        elif char in " \t":
            self._i += 1
            frame.end_word()
        elif char == "\n":
            frame.end_command()
            self._i += 1
            self._read_documents()
        elif char == "#" and frame.word is None:
            self._comment()
        elif char in ";&|":
            self._separator(frame)
        elif char == "(":
            self._parenthesis(frame)
        elif char == ")":  # the end of a pattern of `case`
            frame.end_command()
            self._i += 1
        elif char in "<>":
            self._redirection(frame)
        elif char == "\\":
            self._backslash(frame)
        elif not self._quoted_part(frame.current()):
            plain = PLAIN.match(self._text, self._i)
            assert plain is not None, "every other character has its own branch"
            frame.current().add(plain[0])
            self._i = plain.end()

    def _bare_hole(self, frame: "_Frame") -> None:
        index = self._at[self._i]
        hole = self.holes[index]
        if hole.may_vanish and self._is_glued(hole):
            raise UnsureError
        word = frame.current()
        if self._documents:
            word.refused.append((index, "on the line where a here-document begins"))
        elif "[" in word.text:
            word.refused.append((index, SUBSCRIPT))
        else:
            word.holes.append(index)
        word.add(HOLE)
        self._i = hole.end

    def _is_glued(self, hole: Hole) -> bool:
        """Whether what stands left and right of a hole would join to something new if the hole became nothing."""
        left = self._text[hole.start - 1 : hole.start] or "\n"
        right = self._text[hole.end : hole.end + 1] or "\n"
        if left in " \t\n":
            return right not in " \t\n;|&)"
        return not (left in ";|&(" and right in " \t\n")

    def _separator(self, frame: "_Frame") -> None:
        rest = self._text[self._i : self._i + 3]
        frame.end_command()
        if rest.startswith("&>"):  # a redirection in bash, an end and a redirection in dash
            frame.must_end = True
            self._i += 1
        else:
            self._i += 3 if rest == ";;&" else 2 if rest[:2] in ("&&", "||", ";;", "|&", ";&") else 1

    def _parenthesis(self, frame: "_Frame") -> None:
        word, following = frame.word, self._char(1)
        if word is None and following == "(":
            self._arithmetic(separators=True)
            frame.end_command()
        elif word is None:
            frame.end_command()
            self._i += 1
            self.commands(")")
        elif word.text.endswith("=") and not word.quoted:
            self._i += 1
            word.add(EXPANSION)
            elements = self.commands(")")
            word.nested += elements
            self.assigned += elements
        elif following == ")":  # the head of a function
            frame.end_command()
            self._i += 2
        else:
            raise UnsureError

    def _redirection(self, frame: "_Frame") -> None:
        operator = self._text[self._i : self._i + 3]
        if operator[1:2] == "(":
            self._i += 2
            word = frame.current()
            word.add(EXPANSION)
            word.nested += self.commands(")")
            return
        if frame.word is not None and FILE_NUMBER_OR_NAME.fullmatch(frame.word.text):
            frame.word = None
        frame.end_word()
        frame.has_input = frame.has_input or operator[0] == "<"
        if operator == "<<<":
            frame.redirect = "<<<"
            self._i += 3
        elif operator.startswith("<<"):
            self._begin_document()
        else:
            frame.redirect = operator[0]
            self._i += 2 if operator[1:2] in ("<", ">", "&", "|") else 1

    def _backslash(self, frame: "_Frame") -> None:
        self._refuse_hole_next()
        if self._char(1) != "\n":
            frame.current().quoted = True
            frame.current().add(self._char(1))
        elif self._documents:
            raise UnsureError
        self._i += 2

    # ── here-documents and comments ──────────────────────────────────────────────────────────────

    def _begin_document(self) -> None:
        match = DELIMITER.match(self._text, self._i + 2)
        if match is None:
            raise UnsureError
        delimiter = match[1] or match[2] or match[4]
        strips_tabs = self._text[self._i + 2] == "-"
        self._documents.append(_Document(delimiter, match[4] is None or bool(match[3]), strips_tabs))
        self._has_documents = True
        self._i = match.end()

    def _read_documents(self) -> None:
        for document in self._documents:
            while self._i < len(self._text) and not self._ends_document(document):
                pass
        self._documents.clear()
        self._has_documents = False

    def _ends_document(self, document: _Document) -> bool:
        """Read one line of a body; whether it was the delimiter."""
        end = self._line_end()
        holes = self.inside(self._i, end)
        self.refuse(holes, "inside a here-document")
        self.delimiters |= dict.fromkeys(holes, document.delimiter)
        line = self._text[self._i : end]
        at_least = line.replace(HOLE, "") if any(self.holes[index].may_vanish for index in holes) else line
        continues = (len(at_least) - len(at_least.rstrip("\\"))) % 2 == 1
        self._i = end + 1
        if document.strips_tabs:
            line, at_least = line.lstrip("\t"), at_least.lstrip("\t")
        if (continues and not document.is_quoted) or (at_least == document.delimiter and line != at_least):
            raise UnsureError
        return line == document.delimiter

    def _comment(self) -> None:
        end = self._line_end()
        self.refuse(self.inside(self._i, end), "in a comment")
        self._i = end

    def _line_end(self) -> int:
        end = self._text.find("\n", self._i)
        return len(self._text) if end < 0 else end


class _Frame:
    """The simple command that is being read at one level of parentheses."""

    def __init__(self, scanner: _Scanner) -> None:
        self._scanner = scanner
        self.word: Word | None = None
        self.redirect = ""
        self.must_end = False
        self.has_input = False
        self._words: list[Word] = []
        self._targets: list[tuple[Word, str]] = []

    def current(self) -> Word:
        if self.word is None:
            self.word = Word()
        return self.word

    def end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        if self.redirect:
            self._targets.append((word, self.redirect))
            self.redirect = ""
        elif self.must_end:
            raise UnsureError
        else:
            self._words.append(word)
            self._scanner.heed(word)

    def end_command(self) -> None:
        self.end_word()
        self._scanner.settle(self._words, self._targets, self.has_input)
        self.redirect, self.must_end, self.has_input = "", False, False
        self._words, self._targets = [], []
