"""The words between an interpreter and its script, and between a wrapper and the command that it runs.

Source: decision 9.
"""

from typing import Literal

from vhpipe.command.interpreters import Interpreter, Wrapper, is_shell, role_of
from vhpipe.command.shell_word import EXPANSION, HOLE, Word

EVALUATING_MODULES = frozenset({"timeit", "pdb", "code", "IPython", "runpy", "trace", "bdb"})
"""Modules of Python that run what they are given."""
Step = Literal["more", "script", "stdin", "arguments", "code", "harmless", "hole", "unknown", "module"]


class ScriptOptions:
    """The words between an interpreter and its script."""

    def __init__(self, name: str, interpreter: Interpreter) -> None:
        self.name = name
        self._interpreter = interpreter
        self._waits_for = ""
        self._has_started = not interpreter.starts
        self._has_code = False

    @property
    def code_context(self) -> str | None:
        return f"in the code that `{self.name}` runs" if self._waits_for == "code" else None

    def take(self, word: Word) -> Step:
        """What the word makes of those behind it."""
        waited, self._waits_for = self._waits_for, ""
        if waited == "value":
            return "more" if word.stays_one() else "unknown"
        if waited == "code":
            return self._take_code(word)
        if waited in ("script", "module"):
            is_evaluating = waited == "module" and word.name in EVALUATING_MODULES
            return "hole" if word.name is None else "module" if is_evaluating else "script"
        if not self._has_started:
            self._has_started = word.text == self._interpreter.starts
            return "more" if self._has_started else "unknown"
        return self._take_option(word)

    def _take_option(self, word: Word) -> Step:
        text = word.text
        if not word.is_literal and text[:1] in ("-", "+"):
            known = text.partition(HOLE)[0].partition(EXPANSION)[0]
            if not (known.startswith("--") and "=" in known and word.stays_one(may_have_hole=True)):
                return "unknown"
            text = known
        match role_of(text, self._interpreter):
            case "flag":
                return "more"
            case "value" | "code" | "module" as wanted:
                self._waits_for = wanted
                return "more"
            case "code-here":
                return self._take_code(word)
            case "end":
                self._waits_for = "" if self._has_code else "script"
                return "arguments" if self._has_code else "more"
            case "script":
                return "hole" if word.name is None else "script"
            case "stdin":
                return "stdin"
            case "harmless":
                return "harmless"
            case "unknown":
                return "unknown"

    def _take_code(self, word: Word) -> Step:
        """Behind the code of shells nothing is let pass; what could vanish would make the next word code."""
        if is_shell(self._interpreter) or not word.stays_one():
            return "code"
        self._has_code = True
        return "arguments" if self._interpreter.code_ends else "more"


class WrapperOptions:
    """The words between a wrapper and the command that it runs."""

    def __init__(self, wrapper: Wrapper) -> None:
        self._wrapper = wrapper
        self._operands = wrapper.operands
        self._waits_for_value = False
        self._has_ended = False
        self._has_started = not wrapper.starts

    def is_command(self, word: Word) -> bool:
        """Whether the next word is the command."""
        if self._waits_for_value or not self._has_started or self._operands:
            return False
        return self._has_ended or (word.is_literal and role_of(word.text, self._wrapper) == "script")

    def take(self, word: Word) -> bool:
        """Whether it is known what the word is; it is not the command."""
        if not word.is_literal:
            return False
        if self._waits_for_value:
            self._waits_for_value = False
            return True
        if not self._has_started:
            self._has_started = word.text == self._wrapper.starts
            return self._has_started
        return self._take_option(word)

    def _take_option(self, word: Word) -> bool:
        role = "script" if self._has_ended else role_of(word.text, self._wrapper)
        if role == "script":
            self._has_ended = True
            self._operands -= 1
            return self._operands >= 0
        self._waits_for_value = role == "value"
        self._has_ended = role == "end"
        return role in ("flag", "value", "end")
