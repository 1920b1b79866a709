"""What is wrong with the world: every failure that ends a command, with its exit code.

    VhpipeError
    ├── UsageError          2   bad arguments, or a file that cannot be run
    │   └── InvalidFile     2   the file has diagnostics with severity error
    ├── RefusedError        3   locked, or a state folder that this user did not make
    └── EnvironmentFailure  4   disk, permissions, a missing program

Source of the codes: docs/architecture.md, "Exit codes".
"""

from vhpipe.diagnostics import Diagnostic
from vhpipe.regular_files import UnfitFileError


class VhpipeError(Exception):
    """A failure with one clear message: what, where, and in `hint` what to do."""

    exit_code = 4

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  hint: {self.hint}"


class UsageError(VhpipeError):
    exit_code = 2


class InvalidFile(UsageError):
    def __init__(self, name: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"{name} has errors", hint=f"vhpipe validate {name}")
        self.name = name
        self.diagnostics = diagnostics


class RefusedError(VhpipeError):
    exit_code = 3


class EnvironmentFailure(VhpipeError):
    exit_code = 4


def from_os_error(error: OSError, doing: str) -> EnvironmentFailure:
    """One line with the path and the errno of a failed system call."""
    where = f" `{error.filename}`" if error.filename else ""
    if isinstance(error, UnfitFileError):
        return EnvironmentFailure(f"{doing}{where}: {error.strerror}", hint="remove it, or name another file")
    return EnvironmentFailure(f"{doing}{where}: {error.strerror or error} (errno {error.errno})")
