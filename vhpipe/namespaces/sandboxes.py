"""How the sandbox is made here: by `bwrap` where that works, else by namespaces of our own; tried before it is used."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from vhpipe.namespaces import bubblewrap
from vhpipe.namespaces.sandbox_tree import SandboxFolders, TreePart, sandbox_parts
from vhpipe.namespaces.trial import tried_here

Means = Literal["bwrap", "namespaces"]
PROGRAM = "import sys; sys.path.append(sys.argv[1]); " \
          "from vhpipe.namespaces.sandbox_process import main; main(sys.argv[2:])"  # fmt: skip
TRIAL_S = 20.0
CANNOT_BE_MADE = "vhpipe: the sandbox cannot be made: "
"""How a failure of our own means begins."""
LIKE_NOWHERE = "/nonexistent"


class SandboxTrial(NamedTuple):
    """`means` works; None where none does: `reason` says why, and `cure` what would help."""

    means: Means | None
    reason: str = ""
    cure: str = ""


@cache
def sandbox_tried_here() -> SandboxTrial:
    """What works for this process, found out once by a process that sees nothing."""
    reasons = []
    possible: tuple[Means, ...] = ("bwrap", "namespaces") if shutil.which("bwrap") else ("namespaces",)
    for means in possible:
        said = _refusal_of(means)
        if said is None:
            return SandboxTrial(means)
        reasons.append(f"{means}: {said.removeprefix('bwrap: ').removeprefix(CANNOT_BE_MADE)}")
    allowed = tried_here()
    cure = allowed.cure or "run it in a container: --in auto"
    return SandboxTrial(None, "; ".join((*reasons, *filter(None, (allowed.reason,)))), cure)


def _refusal_of(means: Means) -> str | None:
    """Why a sandbox cannot be made by these means; None if it can."""
    folders = SandboxFolders(LIKE_NOWHERE, (), LIKE_NOWHERE, LIKE_NOWHERE)
    parts = [part for part in sandbox_parts(folders, {}) if not f"{part.source} {part.target}".count(LIKE_NOWHERE)]
    words = [*sandbox_words(means, parts, "/", has_network=False), "/bin/sh", "sh", "-c", "exit 7"]
    words = words if means == "namespaces" else [*words[:-4], *words[-3:]]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_S, cwd="/", env={"PATH": os.defpath},
            start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 7 else (said[-1] if said else f"exit code {done.returncode}")


def sandbox_words(means: Means, parts: Sequence[TreePart], folder: str, has_network: bool) -> list[str]:
    """The command line of a sandbox up to the step's own words: by `namespaces` its program comes before those.

    It is for a child of this thread, with which it ends.
    """
    if means == "bwrap":
        program = shutil.which("bwrap")
        assert program is not None, "it was there when it was tried"
        return bubblewrap.words_of(program, parts, folder, has_network)
    request = {
        "parent": os.getpid(), "is_root": tried_here().way == "root", "network": has_network, "folder": folder,
        "parts": parts,
    }  # fmt: skip
    package_root = str(Path(__file__).parents[2])
    return [sys.executable, "-I", "-S", "-c", PROGRAM, package_root, json.dumps(request)]
