"""What has changed in a text, as `patch` and people read it."""


def diff_of(before: str, after: str, name: str) -> str:
    """A unified diff with three lines around; empty where the texts are equal. Line ends stay as they are."""
    from difflib import unified_diff

    found = unified_diff(_lines(before), _lines(after), name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines
