"""docs/settings.md says of every setting what it can be and who may set it."""

from pathlib import Path
from typing import Any

from vhpipe.settings.keys import KEYS, Key

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def row(key: Key[Any]) -> str:
    kept = f", but for {' and '.join(f'`{value}`' for value in key.kept_values)}" if key.kept_values else ""
    cells = (
        f"`{key.table}`", f"`{key.name}`", key.meaning, key.type.name, key.default,
        f"yes{kept}" if key.in_project else "no", "yes" if key.in_user else "no",
        f"`{key.variable}`" if key.variable else "", f"`{key.option}`" if key.option else "",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |")


def test_the_table_of_the_page_is_the_table_of_the_code() -> None:
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert written == [row(key) for key in KEYS]
