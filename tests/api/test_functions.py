"""Which functions can be steps, where steps find them, and what their arguments are in a file."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vhpipe.api import NotYetKnownError, Result
from vhpipe.api.arguments import ParameterDefinition, written_arguments
from vhpipe.api.functions import source_of
from vhpipe.errors import UsageError


def test_a_module_of_the_project_is_imported_by_its_name(made: Any, arithmetic: ModuleType) -> None:
    assert source_of(arithmetic.give, made.folder).words == (arithmetic.__name__,)


def test_a_module_below_a_folder_of_the_path_is_imported_from_there(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (made.folder / "src").mkdir()
    (made.folder / "src" / "functions_below.py").write_text("def give():\n    return 1\n")
    monkeypatch.syspath_prepend(str(made.folder / "src"))
    import functions_below  # type: ignore[import-not-found]

    assert source_of(functions_below.give, made.folder).words == ("--path", "src", "functions_below")


def test_an_installed_module_is_imported_by_its_name(made: Any) -> None:
    import textwrap

    assert source_of(textwrap.dedent, made.folder).words == ("textwrap",)


def test_a_module_outside_of_the_project_is_refused(arithmetic: ModuleType, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UsageError, match="is not below the project's folder"):
        source_of(arithmetic.give, other)


def test_lambdas_are_refused(made: Any) -> None:
    with pytest.raises(UsageError, match="a lambda cannot be a step: it has no name"):
        source_of(lambda: None, made.folder)


def test_nested_functions_are_refused(made: Any) -> None:
    def inner() -> None:
        pass

    with pytest.raises(UsageError, match="`inner` cannot be a step: it is defined inside `test_nested"):
        source_of(inner, made.folder)


def test_functions_without_a_file_are_refused(made: Any) -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("def typed():\n    return 1\n", "<ipython-input-1>", "exec"), cell)
    with pytest.raises(UsageError, match="typed into a notebook"):
        source_of(cell["typed"], made.folder)


@pytest.mark.parametrize("thing", [len, int, "text", print])
def test_what_is_no_function_of_python_is_refused(made: Any, thing: object) -> None:
    with pytest.raises(UsageError, match="is not a Python function"):
        source_of(thing, made.folder)


def test_functions_that_do_not_return_when_called_are_refused(made: Any) -> None:
    functions = made.module("async def wait():\n    return 1\n\ndef each():\n    yield 1\n")
    for function in (functions.wait, functions.each):
        with pytest.raises(UsageError, match="does not return a value when it is called"):
            source_of(function, made.folder)


def test_arguments_that_cannot_be_named_are_refused(made: Any) -> None:
    with pytest.raises(UsageError, match="`x` cannot be passed by name"):
        source_of(made.module("def give(x, /):\n    return x\n").give, made.folder)


def test_an_unknown_argument_names_the_nearest(made: Any, arithmetic: ModuleType) -> None:
    with pytest.raises(UsageError, match="unknown argument `yy` of `add`"):
        made.pipeline().add_function_step("a", arithmetic.add, {"x": 1, "yy": 2})


def test_an_argument_without_a_value_is_told_when_the_step_is_added(made: Any, arithmetic: ModuleType) -> None:
    with pytest.raises(UsageError, match="step `a` has no value for argument `x`"):
        made.pipeline().add_function_step("a", arithmetic.add)


def test_an_object_that_a_file_cannot_say_is_refused(made: Any, arithmetic: ModuleType) -> None:
    with pytest.raises(UsageError, match="argument `x` of step `a` is a `object`"):
        made.pipeline().add_function_step("a", arithmetic.give, {"x": object()})


def test_names_are_refused_where_they_are_given(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give)
    with pytest.raises(UsageError, match="there is already a step `a`"):
        pipeline.add_function_step("a", arithmetic.give)
    with pytest.raises(UsageError, match="cannot be called `pipeline`"):
        pipeline.add_function_step("pipeline", arithmetic.give)
    with pytest.raises(UsageError, match=r"cannot be called `a\.b`"):
        pipeline.add_function_step("a.b", arithmetic.give)
    with pytest.raises(UsageError, match="cannot return `the value`"):
        pipeline.add_function_step("b", arithmetic.give, {}, ["the value"])
    with pytest.raises(UsageError, match="unknown parent `aa`"):
        pipeline.add_function_step("b", arithmetic.give, {}, parents=["aa"])


TYPED = """
from typing import Literal, Optional

def typed(flag: bool, whole: int, real: float, text: str, maybe: Optional[int] = None, late: "int | None" = None):
    return 1

def untyped(flag=True, whole=3, real=0.5, text="a", nothing=None):
    return 1
"""


def parameters_of(made: Any, name: str, values: dict[str, object]) -> dict[str, dict[str, Any]]:
    source = source_of(getattr(made.module(TYPED), name), made.folder)
    written = written_arguments("s", source.arguments, values, {"n": ParameterDefinition("n", 3, None, "integer")}, {})
    return {each["name"]: each for each in written.parameters}


def test_types_come_from_annotations(made: Any) -> None:
    values = {"flag": True, "whole": 1, "real": 2, "text": "1"}
    found = parameters_of(made, "typed", values)
    assert {name: each["type"] for name, each in found.items()} == {
        "flag": "flag", "whole": "integer", "real": "float", "text": "string", "maybe": "integer", "late": "integer",
    }  # fmt: skip
    assert found["maybe"]["optional"]


def test_types_come_from_values_without_annotations(made: Any) -> None:
    found = parameters_of(made, "untyped", {})
    assert [found[name]["type"] for name in ("flag", "whole", "real", "text")] == ["flag", "integer", "float", "string"]


def test_a_value_that_is_not_of_the_annotation_keeps_its_own_type(made: Any) -> None:
    found = parameters_of(made, "typed", {"flag": True, "whole": 0.25, "real": 2, "text": 5})
    assert (found["whole"]["type"], found["text"]["type"]) == ("float", "integer")


def test_a_parameter_of_the_pipeline_lends_its_type(made: Any) -> None:
    assert parameters_of(made, "untyped", {"text": "${pipeline.n}"})["text"]["type"] == "integer"


def test_what_a_step_will_return_is_no_value_yet() -> None:
    result = Result("train", "accuracy")
    for use in (float, bool, len, lambda it: it > 1, lambda it: it == 1, lambda it: it + 1, list):
        with pytest.raises(NotYetKnownError, match="`accuracy` of step `train` is known only when the pipeline runs"):
            use(result)
    assert f"{result}" == "${train.accuracy}"


ROUND = """
def give_back(value):
    print(type(value))
    return value
"""


@pytest.mark.parametrize(
    "value",
    [0, -3, 0.25, 1e-05, 1e300, True, False, "", "text", "010", "yes", "a\nb 'c' \"d\"", "{parameter:x} $HOME `x`",
     [1, 2], ["a"], [0.5], [], [1, "a"], [[1], [2]], {"a": {"b": [None, True]}}, {}, None, "ä😀"],
    ids=repr,
)  # fmt: skip
def test_values_arrive_as_they_were_given(made: Any, value: object) -> None:
    functions = made.module(ROUND)
    pipeline = made.pipeline()
    pipeline.add_parameter("given", value)
    pipeline.add_function_step("a", functions.give_back, {"value": value}, "value")
    if value is not None:
        pipeline.add_function_step("b", functions.give_back, {"value": "${pipeline.given}"}, "value")
    pipeline.add_function_step("c", functions.give_back, {"value": "${a.value}"}, "value")
    run = pipeline.start_locally(quiet=True)
    for node in run.nodes.values():
        back = node.result("value")
        assert (back, type(back)) == (value, type(value)), node


KEPT = {
    "a tuple": (1, 2), "an empty tuple": (), "a tuple of all kinds": (1, "a", (None, [2.5])),
    "keys that are no texts": {1: "x", None: [1], (1, 2): {True: 0.5}}, "a key like a tag": {"vhpipe.tuple": [1]},
    "bytes": b"\0\xff",
}  # fmt: skip
"""Values for which JSON has no form."""


def test_values_that_json_has_no_form_for_keep_their_types(made: Any) -> None:
    functions = made.module(ROUND)
    pipeline = made.pipeline()
    for number, (name, value) in enumerate(KEPT.items()):
        pipeline.add_function_step(f"s{number}", functions.give_back, {"value": value}, "value")
        if name != "bytes":
            pipeline.add_parameter(f"p{number}", value)
            argument = {"value": f"${{pipeline.p{number}}}"}
            pipeline.add_function_step(f"t{number}", functions.give_back, argument, "value")
    run = pipeline.start_locally(quiet=True)
    for number, value in enumerate(KEPT.values()):
        for name in (f"s{number}", f"t{number}"):
            back = run.node(name).result("value") if name in run.nodes else value
            assert repr(back) == repr(value)


def test_references_in_arguments_bring_values_with_their_types(made: Any) -> None:
    functions = made.module(ROUND)
    pipeline = made.pipeline()
    pipeline.add_parameter("n", 3)
    pipeline.add_parameter("text", 'a "b"')
    given = {"scalar": 2, "pair": (1, 2), "data": {1: [True]}, "list": [0.5, 1.5], "text": "7"}
    for name, value in given.items():
        pipeline.add_function_step(name, functions.give_back, {"value": value})
        argument = {"value": f"${{{name}.parameters.value}}"}
        pipeline.add_function_step(f"{name}-again", functions.give_back, argument, "value")
    nested = {"n": "${pipeline.n}", "all": ["${pipeline.text}", ("${data.parameters.value}", "n=${pipeline.n}")]}
    pipeline.add_function_step("nested", functions.give_back, {"value": nested}, "value")
    pipeline.add_function_step("chain", functions.give_back, {"value": "${nested.parameters.value}"}, "value")
    run = pipeline.start_locally(quiet=True)
    assert {name: run.node(f"{name}-again").result("value") for name in given} == given
    assert run.node("nested").result("value") == {"n": 3, "all": ['a "b"', ({1: [True]}, "n=3")]}


def test_a_parameter_that_is_given_another_kind_of_value_brings_it_as_it_is(made: Any) -> None:
    functions = made.module(ROUND)
    pipeline = made.pipeline()
    pipeline.add_parameter("x", None)
    pipeline.add_function_step("a", functions.give_back, {"value": "${pipeline.x}"}, "value")
    for value in ({"a": (1,)}, (1, 2), [3], 0.5):
        pipeline.set_parameters(x=value)
        assert pipeline.start_locally(quiet=True).node("a").result("value") == value


def test_arrays_and_numbers_of_numpy_are_arguments_as_results_are(made: Any) -> None:
    numpy = pytest.importorskip("numpy", reason="the extra `examples` is not installed")
    functions = made.module("def total(x, more):\n    return (x.sum(), more['b'][1].dtype.name, more['n'])\n")
    pipeline = made.pipeline()
    array = numpy.arange(4)
    given = {"x": array, "more": {"b": [1, array.astype("int8")], "n": numpy.int64(3)}}
    pipeline.add_function_step("a", functions.total, given, "value")
    assert pipeline.start_locally(quiet=True).node("a").result("value") == (6, "int8", 3)
    (made.folder / "valohai.yaml").write_text(pipeline.to_yaml())
    made.vhpipe("run", "--python", sys.executable)


def test_tables_are_arguments_as_results_are(made: Any) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    functions = made.module("def total(table):\n    return float(table['a'].sum()), list(table.columns)\n")
    pipeline = made.pipeline()
    table = pandas.DataFrame({"a": [1.5, 2.0], "b": ["x", "y"]})
    pipeline.add_function_step("a", functions.total, {"table": table}, "value")
    assert pipeline.start_locally(quiet=True).node("a").result("value") == (3.5, ["a", "b"])


def test_objects_of_classes_of_the_module_go_from_step_to_step(made: Any) -> None:
    functions = made.module(
        """
        class Model:
            def __init__(self, weight):
                self.weight = weight

        def train(weight: float):
            return Model(weight)

        def use(model, factor=2):
            return model.weight * factor
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("train", functions.train, {"weight": 1.5}, "model")
    pipeline.add_function_step("use", functions.use, {"model": "${train.model}"}, "value")
    run = pipeline.start_locally(quiet=True)
    assert run.node("use").result("value") == 3.0
    assert run.node("train").result("model").weight == 1.5


def test_pickles_that_come_from_elsewhere_are_not_read(made: Any, side: Any) -> None:
    import pickle

    (made.folder / "model.pkl").write_bytes(pickle.dumps({"a": {1}}))
    functions = made.module(ROUND)
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.give_back, {"value": 1}, "value")
    pipeline.add_function_step("b", functions.give_back, {"value": "${a.value}"}, "value")
    (made.folder / "valohai.yaml").write_text(pipeline.to_yaml())
    done = made.vhpipe("run", "--python", sys.executable, "-i", "b.value=model.pkl", code=1)
    assert "is a pickle that none of your steps made" in done.stderr


def test_several_returns_must_be_as_many_as_named(made: Any) -> None:
    functions = made.module("def two():\n    return 1, 2\n\ndef one():\n    return 1\n")
    pipeline = made.pipeline()
    pipeline.add_function_step("a", functions.two, {}, ["x", "y"])
    pipeline.add_function_step("b", functions.two, {}, ["x", "y", "z"])
    pipeline.add_function_step("c", functions.one, {}, ["x", "y"])
    run = pipeline.start_locally(quiet=True, raise_on_failure=False)
    assert run.node("a").result("y") == 2
    assert "returned 2 values, and it should be 3: x, y, z" in run.node("b").executions[0].log
    assert "returned a `int`, and it should be 2: x, y" in run.node("c").executions[0].log


def test_files_and_folders_go_from_step_to_step(made: Any) -> None:
    functions = made.module(
        """
        from pathlib import Path

        def write(name: str):
            Path(name).write_text("content")
            Path("folder/deep").mkdir(parents=True)
            Path("folder/deep/file").write_text("deep")
            return Path(name), Path("folder")

        def read(file: Path, folder):
            return file.read_text() + (folder / "deep" / "file").read_text() + file.name
        """
    )
    pipeline = made.pipeline()
    pipeline.add_function_step("write", functions.write, {"name": "data.csv"}, ["file", "folder"])
    pipeline.add_function_step("read", functions.read, {"file": "${write.file}", "folder": "${write.folder}"}, "text")
    run = pipeline.start_locally(quiet=True)
    assert run.node("read").result("text") == "contentdeepdata.csv"
    assert run.node("write").result("file").read_text() == "content"


def test_results_stand_in_lists_and_mappings(made: Any, arithmetic: ModuleType) -> None:
    pipeline = made.pipeline()
    pipeline.add_function_step("a", arithmetic.give, {"x": 1}, "y")
    pipeline.add_function_step("b", arithmetic.give, {"x": [2]}, "y")
    given = [{"a": "${a.y}"}, ["${b.y}", "${a.y}"], "text"]
    pipeline.add_function_step("c", arithmetic.show, {"x": given}, "y")
    run = pipeline.start_locally(quiet=True)
    assert run.node("c").result("y") == [[{"a": 1}, [[2], 1], "text"], None]
