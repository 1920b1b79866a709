"""A new value in the place of a written one, in the quotes that stand there."""

import re

_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*(?: [\w./-]+)*", re.ASCII)
_RISKY_INSIDE = re.compile(r"""[#\n\r\t"'\\,\[\]{}]|:(?=\s|$)|\s$""")
_RISKY_FIRST = frozenset("&*!|>%@`-?=<~: ")
_RISKY_IN_QUOTES = re.compile("""[\\n\\r"'\\\\]""")


def respelled_value(old: str, new: str, chars: tuple[int, int] | None) -> str | None:
    """What to write instead of `old`, so that the value there becomes `new`.

    With `chars` only a part of a scalar is replaced, which has as many characters as `chars` says.
    None where `old` is no scalar of one line without anchor, alias or tag, or `new` cannot be written there.
    """
    if chars is not None:
        is_risky = _RISKY_INSIDE.search(new) or (chars[0] == 0 and new[:1] in _RISKY_FIRST)
        return None if is_risky or len(old) != chars[1] - chars[0] else new
    if not old or "\n" in old or "\r" in old:
        return None
    if old[0] in "\"'":
        return _in_same_quotes(old, new)
    if old[0] in "&*!|>{[" or ": " in old or old.endswith(":") or " #" in old or old.startswith("- "):
        return None
    return new if _is_plain(new) else _in_double_quotes(new)


def _in_same_quotes(old: str, new: str) -> str | None:
    quote = old[0]
    if len(old) < 2 or old[-1] != quote:
        return None
    return f"'{new.replace(quote, quote * 2)}'" if quote == "'" else _in_double_quotes(new)


def _in_double_quotes(text: str) -> str | None:
    return None if _RISKY_IN_QUOTES.search(text.replace("'", "")) else f'"{text}"'


def _is_plain(text: str) -> bool:
    """Whether a text is a text also without quotes, wherever it stands."""
    from vhpipe.document.scalars import RESERVED, WORDS, ambiguity, resolve

    if not _PLAIN.fullmatch(text) or text in WORDS or text in RESERVED or text[0] == ".":
        return False
    return ambiguity(text, resolve(text)) is None
