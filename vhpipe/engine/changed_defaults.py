"""What a newer version does otherwise than the one that made the last run, said once, with what brings the old back."""

from vhpipe.store.run_folder import RunFolder

CHANGES: dict[tuple[int, int], tuple[str, ...]] = {
    (0, 3): (
        "numbers and truth values reach parameters of type string or without a type as they are: put a default in "
        "quotes if it is to be text",
        "inputs without files have no folder: make it in the command where a script needs it",
        "environments, node_modules and caches of tools are left out of working copies: `!/folder/` in .valohaiignore "
        "brings one back",
        "files of 64 MiB and more may be read-only in working copies: copy one before you write into it",
        "equal executions of one run all run: feed one into the others to have its result in all",
        'a metric that is missing is unequal to everything in `if` and `when`: ask for `metadata["x"] is not None` too',
    ),
    (0, 4): (
        "steps have `/valohai`, where this machine allows it, and find their folders there: inputs and the state "
        "folder are read-only for them, and git does not see the project's repository; `--in process` is as before",
        "`max` of memory and cpu in `resources` of a step is a limit where control groups can be made: leave it out to "
        "have none",
        "an execution that asks for a GPU has one of its own, and waits for it: `--slots gpu=shared` has all see all",
        "`mounts` of steps are bound where they say, and a source that is not there refuses the run: "
        "`--mount SOURCE=FOLDER` puts a folder in its place, `--in process` mounts nothing",
        "a command, parameter or variable that needs `/valohai/…` is refused where steps cannot have that folder: "
        "`vhpipe doctor` says what allows it, `${VH_OUTPUTS_DIR:-/valohai/outputs}` is right everywhere",
        "a variable with `optional: false` and without a value refuses the run: `-e NAME=VALUE` gives it one",
        "steps that install packages get an environment of their own, where none is active or chosen: `--env none` has "
        "them install into the Python on PATH",
    ),
}
"""By the version that brought them."""


def changes_since(last: RunFolder | None) -> tuple[str, ...]:
    """Sentences on defaults that changed since the last run was made; none without one."""
    if last is None:
        return ()
    before = _version(last.info().version)
    return tuple(
        f"since vhpipe {major}.{minor}.0 {sentence}"
        for (major, minor), sentences in CHANGES.items()
        if before < (major, minor)
        for sentence in sentences
    )


def _version(text: str) -> tuple[int, int]:
    """Major and minor; the first version for a text that is none, which the first one wrote."""
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 1)
