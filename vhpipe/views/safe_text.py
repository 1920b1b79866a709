"""Text that is safe to show: nothing in it can steer a terminal or turn the direction of a line.

Names, messages and logs are other people's bytes. Escaped are C0 but newline and tab, DEL, C1, the bidirectional
controls, the line and paragraph separators, and what stands for bytes that are not UTF-8.
"""

import re
from functools import cache

_UNSAFE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
LONGEST_WORD = 200
"""Characters that a word of a message may have."""
_SHOWN_OF_EACH_END = 80
_SHOWN_AGAIN = 30
_LAYOUT = re.compile("[\t\n]")
_CONTROL_SEQUENCE = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]")


@cache
def _unsafe() -> re.Pattern[str]:
    """Compiling it takes longer than many a command: what is all printable never needs it."""
    return re.compile(_UNSAFE)


@cache
def _long_word() -> re.Pattern[str]:
    return re.compile(f"`[^`]{{{LONGEST_WORD},}}`|[^\\s`]{{{LONGEST_WORD},}}")


def safe_text(text: str) -> str:
    r"""The text with every unsafe character written as an escape (`\x1b`, `\u202e`); newlines and tabs stay."""
    return text if text.isprintable() else _unsafe().sub(_escape, text)


def one_line(text: str) -> str:
    r"""Safe text without line breaks and tabs: they are written as `\n` and `\t`."""
    if text.isprintable():
        return text
    return _LAYOUT.sub(lambda match: "\\n" if match[0] == "\n" else "\\t", safe_text(text))


def brief(text: str, said: set[str] | None = None) -> str:
    """`one_line` for messages: what is too long in it, such as a path, is cut, and is said once.

    Later on only its end stands for it. `said` is what was cut before, and learns what is cut here.
    """
    if len(text) <= LONGEST_WORD and not said:
        return one_line(text)
    known = set() if said is None else said
    return _long_word().sub(lambda match: _cut(match[0], known), one_line(text))


def _cut(word: str, said: set[str]) -> str:
    bare = word.strip("`'\":,;()")
    if bare in said:
        return f"`…{bare[-_SHOWN_AGAIN:]}`"
    said.add(bare)
    return f"{word[:_SHOWN_OF_EACH_END]}…{word[-_SHOWN_OF_EACH_END:]}"


def safe_log(text: str) -> str:
    """A piece of a log as text: colours are dropped, a carriage return ends a line, the rest is escaped."""
    plain = _CONTROL_SEQUENCE.sub("", text)
    return safe_text(plain.replace("\r\n", "\n").replace("\r", "\n"))


def safe_json(text: str) -> str:
    r"""JSON text that says the same and is safe to show: unsafe characters are written as `\uXXXX`."""
    if text.isprintable() or (text.isascii() and "\x7f" not in text):  # other control characters JSON escapes itself
        return text
    return _unsafe().sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
