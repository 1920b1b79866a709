"""No file that somebody else may have put there is opened but by `vhpipe.regular_files`."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "vhpipe"
THE_ONE = "regular_files.py"
NEVER_AN_OLD_FILE = {"O_EXCL", "O_DIRECTORY", "O_PATH"}
"""With one of these, an open makes a new file or is of a folder: it neither waits nor reads."""

ALLOWED = {
    ("config/schema.py", "schema_text"): "a file of the package",
    ("config/bundle.py", "read_schemas"): "a program of the project's makers",
    ("cli/commands/rules.py", "_page"): "a file of the package",
    ("cli/commands/schema.py", "command"): "a file of the package",
    ("function_step/values.py", "_read_pickle"): "in the step's own process",
    ("function_step/values.py", "_write"): "in the step's own process",
    ("function_step/values.py", "_read_bytes"): "in the step's own process",
    ("function_step/code_recorder.py", "write"): "in the step's own process",
    ("function_step/code_recorder.py", "_text_of"): "in the step's own process, what is a file",
    ("function_step/__main__.py", "_configuration"): "in the step's own process",
    ("publishing.py", "_copy_into"): "opens by `_regular`",
    ("publishing.py", "_regular"): "the same for a step's own process, whose Python may be older",
    ("engine/machine_checks.py", "_locks_exclude"): "in a folder made for the trial",
    ("engine/start.py", "boot_identifier"): "of the kernel",
    ("attempt/process_tree.py", "_content"): "of the kernel",
    ("attempt/processes.py", "__init__"): "the null device, and the current folder",
    ("cli/options/report_targets.py", "write_target"): "what the user has typed to be written, /dev/stdout among it",
    ("cli/terminal/failures.py", "_saved_report"): "a descriptor that was just made",
    ("cli/terminal/failures.py", "_leave_pipe"): "the null device",
    ("cli/commands/walk.py", "*"): "standard streams and pipes of this process",
    ("lsp/command.py", "*"): "standard streams of this process",
    ("store/requests.py", "*"): "a named pipe on purpose, which is not waited for",
    ("store/blobs.py", "*"): "hashes all that it reads, by descriptors of regular files that are not waited for",
    ("store/removal.py", "*"): "folders by descriptors",
    ("store/long_paths.py", "*"): "folders by descriptors",
    ("namespaces/bound_folders.py", "is_private_root"): "of the kernel",
    ("namespaces/holder.py", "_keep_only"): "the null device",
    ("namespaces/ssh_settings.py", "own_ssh_settings"): "in a folder made for it",
    ("namespaces/step_root.py", "*"): "of the kernel, and the current folder",
    ("namespaces/trial.py", "_text"): "of the kernel",
    ("namespaces/user_namespace.py", "*"): "of the kernel",
    ("namespaces/terminal.py", "start_inside"): "a pipe that was just made",
    ("attempt/control_groups.py", "*"): "of the kernel",
    ("runners/container.py", "most_pids"): "of the kernel",
    ("environments/making.py", "_is_from"): "a record within a distribution, by importlib.metadata",
    ("environments/stand_in.py", "*"): "in the step's own process",
    ("command/installs.py", "*"): "a method of that name which reads no file by itself",
    ("attempt/found_outputs.py", "fault_of"): "without waiting; whether it is a file is what is asked",
}


def opens_of(path: Path) -> Iterator[tuple[str, str, int]]:
    """File, function and line of every call that opens a file and could be of one that is there already."""
    name = path.relative_to(PACKAGE).as_posix()

    def below(node: ast.AST, function: str) -> Iterator[tuple[str, str, int]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            if isinstance(child, ast.Call) and is_open(child):
                yield name, inner, child.lineno
            yield from below(child, inner)

    return below(ast.parse(path.read_text(encoding="utf-8")), "")


def is_open(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id="open" | "fdopen"):
            return True
        case ast.Attribute(attr="read_bytes" | "read_text" | "write_text" | "write_bytes" | "fdopen"):
            return True
        case ast.Attribute(value=ast.Name(id="os" | "io"), attr="open"):
            text = ast.unparse(call)
            return not any(flag in text for flag in NEVER_AN_OLD_FILE)
    return False


@cache
def all_opens() -> list[tuple[str, str, int]]:
    return [each for path in sorted(PACKAGE.rglob("*.py")) if path.name != THE_ONE for each in opens_of(path)]


def test_no_file_is_opened_past_the_one_way_but_for_a_reason() -> None:
    past = [each for each in all_opens() if each[:2] not in ALLOWED and (each[0], "*") not in ALLOWED]
    assert past == []


def test_every_reason_is_still_needed() -> None:
    found = {each[:2] for each in all_opens()}
    files = {file for file, _ in found}
    needless = [each for each in ALLOWED if each not in found and not (each[1] == "*" and each[0] in files)]
    assert needless == []
