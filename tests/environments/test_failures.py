"""Why an environment could not be made, in one line."""

import pytest

from vhpipe.environments.failures import reason_in

NO_SUCH = "ERROR: No matching distribution found for lightgmb==1 (from -r requirements.txt (line 2))"
UV_NO_SUCH = (
    "  ╰─▶ Because lightgmb was not found in the package registry and you require lightgmb, we can conclude that"
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
        (["Building wheel", "ERROR: Failed building wheel for x", "see above"], "Failed building wheel for x"),
        (["", "it broke at https://me:secret@host/simple?token=a"], "it broke at https://host/simple"),
        ([], "it says nothing"),
    ],
)  # fmt: skip
def test_one_line_says_what_happened_and_what_to_do(output: list[str], reason: str) -> None:
    assert reason_in(output).startswith(reason)
    assert "secret" not in reason_in(output)
