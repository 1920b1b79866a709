"""Stands before pip and uv in the environment of a step: what is installed already is not installed again.

It is copied into environments and run there by any Python from 3.6 on: standard library only, nothing of this package.
"""

import json
import os
import re
import shutil
import sys
from hashlib import sha256
from typing import Any

ELSEWHERE = ("--system", "--break-system-packages", "--user")
"""Options by which packages would go into the Python of the machine."""


def is_installed(words: "list[str]", known: Any) -> bool:
    """Whether a line was carried out beforehand, with the same files."""
    root = os.environ.get("VH_REPOSITORY_DIR", "")
    for line in known["lines"]:
        if line["words"] != digest_of_words(words) or os.path.realpath(os.getcwd()) != os.path.realpath(
            os.path.join(root, line["folder"])
        ):
            continue
        if all(digest_of(os.path.join(root, path)) == known["files"].get(path) for path in line["files"]):
            return True
    return False


def digest_of_words(words: "list[str]") -> str:
    """What stands for the words of a line, in which there may be a password."""
    return sha256(json.dumps(words).encode()).hexdigest()


def digest_of(path: str) -> "str | None":
    try:
        with open(path, "rb") as file:
            return sha256(file.read()).hexdigest()
    except OSError:
        return None


def main(program: str, words: "list[str]") -> None:
    own = os.path.dirname(os.path.abspath(sys.argv[0]))
    python = os.path.join(os.environ.get("VIRTUAL_ENV", sys.prefix), "bin", "python")
    start = ["pip", "install"] if program == "uv" else ["install"]
    if words[: len(start)] == start:
        with open(os.path.join(own, "installed.json"), encoding="utf-8") as file:
            known = json.load(file)
        if known["is_complete"] and is_installed(words[len(start) :], known):
            said = re.sub(r"://[^/@\s]*@", "://", " ".join(words[len(start) :]))
            print("Requirement already satisfied, installed before the start:", said)
            return
        words = [word for word in words if word not in ELSEWHERE]
    if program == "uv":
        stand_ins = os.path.realpath(os.path.join(own, "stand-ins", "uv"))
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            found = shutil.which("uv", path=folder) if folder else None
            if found is not None and os.path.realpath(found) != stand_ins:
                os.execv(found, ["uv", *words])
        if words[:1] != ["pip"]:
            print("uv: not found", file=sys.stderr)
            raise SystemExit(127)
        words = words[1:]
    os.execv(python, [python, "-m", "pip", *words])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
