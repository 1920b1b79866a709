"""Rows of text as aligned columns, for listings on stdout."""

from collections.abc import Sequence

from vhpipe.views.safe_text import one_line


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """The rows below their heads, made safe to show; columns named in `right` are flush right.

    No rows: only the heads. The text ends without a line break.
    """
    table = [tuple(heads), *(tuple(one_line(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    is_right = [head in right for head in heads]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, is_right, strict=True)
        ).rstrip()
        for row in table
    )
