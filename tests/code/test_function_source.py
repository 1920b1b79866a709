"""What of a script counts for a function of it: all that it can reach, and no other function."""

import pytest

from vhpipe.code.function_source import reached_text

SCRIPT = '''
import helper
from vhpipe.api import Pipeline, PipelineDecorator, component, pipeline as flow

RATE = 2
TABLE = {"by name": lambda x: named(x)}


def register(function):
    return function


class Model:
    def fit(self):
        return of_class()


def of_class(): return 1
def named(x): return x
def inner(x): return x * RATE
async def outer(x): return inner(x)
def by_text(): return 1
def by_attribute(): return 1
def loose(x, y=[1], *, z: "int" = -1): return x
@component(return_values=["a"])
def loose_step(x): return loose(x)
@PipelineDecorator.component
def other_step(x): return x
@register
def registered(x): return x
def defaulting(x=register(1)): return x
def __getattr__(name): raise AttributeError(name)


@component
def train(x):
    "Calls by_text."
    return outer(x) + helper.by_attribute()


@flow(name="all")
def everything(x):
    return loose_step(train(x))


steps = Pipeline("p")
steps.add_function_step("train", train, {"x": 1})
steps.add_function_step("loose", loose)

if __name__ == "__main__":
    print(everything(1))

print(everything(1))
steps.start()


def too_late(): return 1
'''

COUNTS = {
    "the function": ("outer(x) + helper", "outer(x) - helper"),
    "what it calls": ("inner(x)\n", "inner(x + 1)\n"),
    "what that calls": ("x * RATE", "x + RATE"),
    "a value": ("RATE = 2", "RATE = 3"),
    "a class": ("return of_class()", "return 2"),
    "what a class calls": ("of_class(): return 1", "of_class(): return 2"),
    "what a value at the top calls": ("named(x): return x", "named(x): return -x"),
    "what a text names": ("by_text(): return 1", "by_text(): return 2"),
    "what is an attribute elsewhere": ("by_attribute(): return 1", "by_attribute(): return 2"),
    "what a decorator gets": ("registered(x): return x", "registered(x): return -x"),
    "what runs where a function is defined": ("defaulting(x=register(1))", "defaulting(x=register(2))"),
    "what Python calls by itself": ("raise AttributeError(name)", "return 1"),
    "an import": ("import helper", "import helper, helper"),
    "what runs before the start": ("print(everything(1))\nsteps", "print(everything(2))\nsteps"),
    "a new function of a name that is used": ("steps = Pipeline", "def helper(): pass\nsteps = Pipeline"),
}
DOES_NOT = {
    "another function": ('y=[1], *, z: "int" = -1): return x', 'y=[2], *, z: "int" = -1): return -x'),
    "another step": ("return loose(x)", "return loose(-x)"),
    "a decorator of another step": ('return_values=["a"]', 'return_values=["b"]'),
    "a step that is decorated otherwise": ("other_step(x): return x", "other_step(x): return -x"),
    "what builds a pipeline": ("return loose_step(train(x))", "return train(x)"),
    "what adds a step": ('train, {"x": 1}', 'train, {"x": 2}'),
    "what is guarded": ("    print(everything(1))", "    print(everything(5))"),
    "what comes after the start": ("too_late(): return 1", "too_late(): return 2"),
    "a comment": ("RATE = 2", "RATE  =  2  # twice"),
    "a new function": ("@flow", "def new(): return 1\n@flow"),
}


def text(script: str) -> str | None:
    return reached_text(script.encode(), "train")


@pytest.mark.parametrize("edit", COUNTS.values(), ids=COUNTS)
def test_what_a_function_can_reach_counts(edit: tuple[str, str]) -> None:
    assert edit[0] in SCRIPT
    assert None is not text(SCRIPT) != text(SCRIPT.replace(*edit))


@pytest.mark.parametrize("edit", DOES_NOT.values(), ids=DOES_NOT)
def test_what_it_cannot_reach_does_not_count(edit: tuple[str, str]) -> None:
    assert edit[0] in SCRIPT
    assert None is not text(SCRIPT) == text(SCRIPT.replace(*edit))


@pytest.mark.parametrize(
    "line",
    [
        "globals()['lo' + 'ose']()", "getattr(helper, x)()", "look = getattr", "eval(x)", "import sys; sys.modules[x]",
        "from sys import modules", "import inspect", "from importlib import import_module as load", "import builtins",
        "helper.train.__globals__[x]", "from operator import attrgetter", "exec(open(__file__).read())", "vars()[x]",
    ],
)  # fmt: skip
def test_where_names_are_looked_up_all_of_the_script_counts(line: str) -> None:
    assert text(SCRIPT.replace("RATE = 2", f"RATE = 2\n{line}")) is None
    assert text(SCRIPT.replace("RATE = 2", f"RATE = 2\ndef used(x):\n    {line}\nused(1)")) is None
    assert text(SCRIPT.replace("RATE = 2", f"RATE = 2\ndef unused(x):\n    {line}")) is not None


def test_a_name_that_is_given_another_meaning_is_no_longer_ours() -> None:
    """Whatever the decorator is now, it may call the function, and the pipeline may be anything."""
    edits = DOES_NOT["another step"], DOES_NOT["what adds a step"]
    rebinding = "def rebind():\n    global component, steps\n    component = steps = 1"
    other = SCRIPT.replace("RATE = 2", f"RATE = 2\n{rebinding}")
    for edit in edits:
        assert text(other) != text(other.replace(*edit))


@pytest.mark.parametrize("source", [b"def", b"\0", b"x = " + b"(" * 500 + b")" * 500, b"\xff"])
def test_what_is_no_script_counts_entirely(source: bytes) -> None:
    assert reached_text(source, "f") is None
