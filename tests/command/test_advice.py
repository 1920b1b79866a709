"""What is said about a placeholder in a wrong place helps: where it is done, every value is let pass."""

import pytest

from vhpipe.command.step_command import interpolation_problems
from vhpipe.config.model import Parameter

P = "{parameter-value:p}"
HOSTILE = {"p": "$(touch PWNED) '\""}


def hints(place: str) -> list[str | None]:
    return [problem.hint for problem in interpolation_problems((place,), (Parameter("p"),), HOSTILE)]


@pytest.mark.parametrize(
    ("before", "words", "after"),
    [
        (f'echo "a {P}"', "make it a separate word outside the quotes", f'echo "a "{P}'),
        (f'echo "a {P}"', "write `$VH_PARAM_P` inside them", 'echo "a $VH_PARAM_P"'),
        (f"echo 'a {P}'", "make it a separate word outside the quotes", f"echo 'a '{P}"),
        (f"echo `echo {P}`", "write `$(…)` in place of the backticks", f"echo $(echo {P})"),
        (f"[[ x = {P} ]]", "write `[ … ]` in place of `[[ … ]]`", f"[ x = {P} ]"),
        (f"echo $(({P} + 1))", f"such as `expr {P} + 1`", f"echo $(expr {P} + 1)"),
        (f"date # {P}", "remove it from the comment", "date"),
        (f"cat <<E {P}\nE", "put it before the `<<`", f"cat {P} <<E\nE"),
        (f"printf {P}", f"printf '%s' {P}", f"printf '%s' {P}"),
        (f"env {P} python x.py", "put it behind the name of the command", f"env python x.py {P}"),
        (f"xargs {P} python x.py", "put it behind the name of the command", f"xargs python x.py {P}"),
        (f"test -v {P}", f"[ {P} = … ]", f"[ {P} = x ]"),
        (f"$run {P}", "write out the name of the command", f"run {P}"),
        (f'bash -c "python x.py {P}"', "write the command as an item of its own", f"python x.py {P}"),
        (f"bash -c 'python x.py' {P}", "write the command as an item of its own", f"python x.py {P}"),
        (f"python {P} x.py", "put it behind that", f"python x.py {P}"),
        (f"Rscript --what now x.R {P}", "without options that vhpipe does not know", f"Rscript x.R {P}"),
        (f"python -c 'print(\"{P}\")'", "read the variable `VH_PARAM_P` in that code", "python -c 'import os'"),
        (f"eval {P}", "read the variable `VH_PARAM_P`", "eval 'echo \"$VH_PARAM_P\"'"),
    ],
)  # fmt: skip
def test_who_follows_the_advice_is_let_pass(before: str, words: str, after: str) -> None:
    (hint,) = hints(before)
    assert words in (hint or "")
    assert hints(after) == []


def test_of_all_parameters_no_variable_is_named() -> None:
    (problem,) = interpolation_problems(('bash -c "x {parameters}"',), (Parameter("p"),), HOSTILE)
    assert problem.sentence.endswith("or read the values from `$VH_CONFIG_DIR/parameters.json`")
    assert "VH_PARAM" not in problem.sentence
