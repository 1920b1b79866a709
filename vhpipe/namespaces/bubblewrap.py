"""The sandbox by `bwrap`: the words of its command line."""

import os
from collections.abc import Iterator, Sequence

from vhpipe.namespaces.sandbox_tree import PartKind, TreePart

_WORDS: dict[PartKind, str] = {
    "read-only": "--ro-bind", "writable": "--bind", "device": "--dev-bind", "empty": "--tmpfs", "proc": "--proc",
    "dev": "--dev", "link": "--symlink", "folder": "--dir", "closed": "--remount-ro",
}  # fmt: skip
KEPT_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID",
    "CAP_SETPCAP", "CAP_SETUID",
)  # fmt: skip
"""What root keeps: with none of these a mount can be changed, a device made, or a process outside be looked into."""
FIRST_SIGNAL, LAST_SIGNAL = 129, 192
"""The exit codes by which `bwrap` says that its process died of a signal."""


def words_of(program: str, parts: Sequence[TreePart], folder: str, has_network: bool) -> list[str]:
    """The command line up to the step's own words."""
    words = [program, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent"]
    if not has_network:
        words.append("--unshare-net")
    if os.geteuid() == 0:
        words += ["--cap-drop", "ALL", *(word for each in KEPT_CAPABILITIES for word in ("--cap-add", each))]
    else:
        words.append("--unshare-user")
    words += ["--tmpfs", "/"]
    for part in parts:
        words += _words_of(part)
    return [*words, "--chdir", folder, "--"]


def _words_of(part: TreePart) -> Iterator[str]:
    option = _WORDS[part.kind]
    if part.kind in ("read-only", "writable", "device"):
        yield from (f"{option}-try" if part.is_optional else option, part.source, part.target)
    elif part.kind == "folder":
        yield from ("--perms", "0755", option, part.target)
    elif part.kind == "link":
        yield from (option, part.source, part.target)
    else:
        yield from (option, part.target)
