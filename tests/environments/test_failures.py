"""Why an environment could not be made, in one line."""

import pytest

from vhpipe.environments.failures import reason_in

NO_SUCH = "ERROR: No matching distribution found for lightgmb==1 (from -r requirements.txt (line 2))"
UV_NO_SUCH = (
    "  ╰─▶ Because lightgmb was not found in the package registry and you require lightgmb, we can conclude that"
)
UV_OTHER = (
    "  cause: Because tensorflow==1.15.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you require"
)
PIP_OTHER = (
    "ERROR: Could not find a version that satisfies the requirement tensorflow==1.15 (from versions: 2.12.0, 2.12.1)"
)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ([NO_SUCH], "`lightgmb==1` was not found: check its name and version"),
        (["ERROR: Could not find a version that satisfies the requirement lightgmb (from versions: none)",
          "ERROR: No matching distribution found for lightgmb"],
         "`lightgmb` was not found: check its name, and whether the index can be reached"),
        (["  × No solution found when resolving dependencies:", "  ╰─▶ Because there is no version of a==9 and you",
          "      require a==9, we can conclude that your requirements are unsatisfiable."],
         "no versions go together: there is no version of a==9 and you require a==9"),
        ([UV_NO_SUCH], "`lightgmb` was not found: check its name and version"),
        (["error: Failed to fetch: `https://pypi.org/simple/x/`", "Caused by: dns error: failed to lookup"],
         "the network cannot be reached: connect, name a folder with the packages by UV_FIND_LINKS or PIP_FIND"),
        (["WARNING: Retrying: NewConnectionError(...)", NO_SUCH], "`lightgmb==1` was not found: connect, name"),
        (["writing", "OSError: [Errno 28] No space left on device"], "the disk is full; free some space, or keep the "),
        (["Building", "ERROR: it went wrong", "see above"], "it went wrong"),
        (["", "it broke at https://me:secret@host/simple?token=a"], "it broke at https://host/simple"),
        ([], "it says nothing"),
        ([UV_OTHER], "`tensorflow==1.15.0` is not available for Python 3.11.7: choose a Python of another version by"),
        ([PIP_OTHER, "ERROR: No matching distribution found for tensorflow==1.15"],
         "`tensorflow==1.15` is not available for Python 3.11.7: choose"),
        (["error: Failed to build `pandas==1.1.5`", "  cause: …", "   error: Command gcc failed"],
         "`pandas==1.1.5` has no wheel for Python 3.11.7 and cannot be built here: choose a Python of another version"),
        (["  error: subprocess-exited-with-error", "  × Getting requirements to build wheel did not run successfully."],
         "a package has no wheel for Python 3.11.7 and cannot be built here: choose"),
        (["ERROR: Failed building wheel for x", "ERROR: Could not build wheels for x, which is required"],
         "`x` has no wheel for Python 3.11.7"),
    ],
)  # fmt: skip
def test_one_line_says_what_happened_and_what_to_do(output: list[str], reason: str) -> None:
    said = reason_in(output, "3.11.7")
    assert said.startswith(reason)
    assert "secret" not in said
