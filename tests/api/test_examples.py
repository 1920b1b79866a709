"""Four pipelines as users write them, on data that comes with scikit-learn.

Importing that in every step is what takes long; test_decorators and test_functions do the same without it.
"""

import json
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="the extra `examples` is not installed")

SCRIPTS = {
    "make_data.py": """
import json, os
from pathlib import Path
from sklearn.datasets import load_iris

data, target = load_iris(return_X_y=True)
Path(os.environ["VH_OUTPUTS_DIR"], "dataset.json").write_text(json.dumps([data.tolist(), target.tolist()]))
""",
    "process.py": """
import json, os, sys
from pathlib import Path
from sklearn.model_selection import train_test_split

(file,) = Path(os.environ["VH_INPUTS_DIR"], "dataset").iterdir()
data, target = json.loads(file.read_text())
parts = train_test_split(data, target, test_size=float(sys.argv[1]), random_state=int(sys.argv[2]))
Path(os.environ["VH_OUTPUTS_DIR"], "parts.json").write_text(json.dumps(parts))
print(json.dumps({"train_rows": len(parts[0]), "test_rows": len(parts[1])}))
""",
    "train.py": """
import json, os, pickle, sys
from pathlib import Path
from sklearn.linear_model import LogisticRegression

(file,) = Path(os.environ["VH_INPUTS_DIR"], "parts").iterdir()
train_data, test_data, train_target, test_target = json.loads(file.read_text())
model = LogisticRegression(max_iter=1000).fit(train_data, train_target)
Path(os.environ["VH_OUTPUTS_DIR"], "model.pkl").write_bytes(pickle.dumps(model))
print(json.dumps({"accuracy": model.score(test_data, test_target), "processed_by": sys.argv[1]}))
""",
    "valohai.yaml": """
- step:
    name: step 1 dataset artifact
    image: python:3.11
    command: python3 make_data.py
- step:
    name: step 2 process dataset
    image: python:3.11
    command: python3 process.py {parameter:test_size} {parameter:random_state}
    parameters:
      - {name: test_size, type: float, default: 0.2, pass-as: "{v}"}
      - {name: random_state, type: integer, default: 42, pass-as: "{v}"}
    inputs:
      - {name: dataset}
- step:
    name: step 3 train model
    image: python:3.11
    command: python3 train.py {parameter:dataset_task_id}
    parameters:
      - {name: dataset_task_id, pass-as: "{v}"}
    inputs:
      - {name: parts}
""",
}

FROM_TASKS = """
from vhpipe.api import PipelineController

told = []

def before(pipeline, node, parameters):
    told.append(("before", node.name, parameters["test_size"]))

def after(pipeline, node):
    told.append(("after", node.name, node.status))

pipe = PipelineController(name="Pipeline demo", project="examples", version="0.0.1")
pipe.set_default_execution_queue("default")
pipe.add_step(name="stage_data", base_task_name="step 1 dataset artifact")
pipe.add_step(
    name="stage_process",
    parents=["stage_data"],
    base_task_name="step 2 process dataset",
    parameter_override={
        "Input/dataset": "${stage_data.artifacts.dataset.json.url}",
        "General/test_size": 0.25,
    },
    pre_execute_callback=before,
    post_execute_callback=after,
)
pipe.add_step(
    name="stage_train",
    parents=["stage_process"],
    base_task_name="step 3 train model",
    parameter_override={
        "General/dataset_task_id": "${stage_process.id}",
        "Input/parts": "${stage_process.artifacts.parts.json.url}",
    },
    monitor_metrics=[("train", "accuracy")],
)
run = pipe.start_locally(run_pipeline_steps_locally=True)
assert told == [("before", "stage_process", 0.25), ("after", "stage_process", "complete")], told
assert run.metadata["stage_process"] == {"train_rows": 112, "test_rows": 38}
assert run.metadata["stage_train"]["accuracy"] > 0.9
assert len(run.metadata["stage_train"]["processed_by"]) == 36
assert {name: node.parents for name, node in pipe.get_pipeline_dag().items()} == {
    "stage_data": (), "stage_process": ("stage_data",), "stage_train": ("stage_process",),
}
assert pipe.is_successful()
"""

FROM_FUNCTIONS = """
import sys
from vhpipe.api import PipelineController

def step_one(rows):
    from sklearn.datasets import load_iris
    data, target = load_iris(return_X_y=True)
    return {"data": data[:rows], "target": target[:rows]}

def step_two(data_frame, test_size=0.2, random_state=42):
    from sklearn.model_selection import train_test_split
    return train_test_split(
        data_frame["data"], data_frame["target"], test_size=test_size, random_state=random_state
    )

def step_three(data):
    from sklearn.linear_model import LogisticRegression
    train_data, _, train_target, _ = data
    return LogisticRegression(max_iter=1000).fit(train_data, train_target)

def debug_testing_our_pipeline(rows):
    return step_three(step_two(step_one(rows)))

if __name__ == "__main__":
    pipe = PipelineController(project="examples", name="pipeline from functions", version="1.1")
    pipe.add_parameter(name="rows", description="how many rows", default=150)
    pipe.add_function_step(
        name="step_one", function=step_one, function_kwargs=dict(rows="${pipeline.rows}"),
        function_return=["data_frame"], cache_executed_step=True,
    )
    pipe.add_function_step(
        name="step_two", function=step_two, function_kwargs=dict(data_frame="${step_one.data_frame}"),
        function_return=["processed_data"], cache_executed_step=True,
    )
    pipe.add_function_step(
        name="step_three", function=step_three, function_kwargs=dict(data="${step_two.processed_data}"),
        function_return=["model"], cache_executed_step=True,
    )
    assert [node.parents for node in pipe.get_pipeline_dag().values()] == [(), ("step_one",), ("step_two",)]
    run = pipe.start_locally()
    here = debug_testing_our_pipeline(150)
    there = run.node("step_three").result("model")
    assert (there.coef_ == here.coef_).all()
    print("reused", sum(node.is_reused for node in run.nodes.values()))
"""

FROM_DECORATORS = """
from vhpipe.api import PipelineDecorator

@PipelineDecorator.component(return_values=["data_frame"], cache=True)
def step_one(rows: int, extra: int = 43):
    from sklearn.datasets import load_iris
    data, target = load_iris(return_X_y=True)
    return data[:rows], target[:rows]

@PipelineDecorator.component(return_values=["train_data", "test_data", "train_target", "test_target"], cache=True)
def step_two(data_frame, test_size=0.2, random_state=42):
    from sklearn.model_selection import train_test_split
    return train_test_split(*data_frame, test_size=test_size, random_state=random_state)

@PipelineDecorator.component(return_values=["model"], cache=True)
def step_three(train_data, train_target):
    from sklearn.linear_model import LogisticRegression
    return LogisticRegression(max_iter=1000).fit(train_data, train_target)

@PipelineDecorator.component(return_values=["accuracy"], cache=True)
def step_four(model, data, target):
    from sklearn.metrics import accuracy_score
    return accuracy_score(target, model.predict(data))

@PipelineDecorator.pipeline(name="pipeline from decorators", project="examples", version="0.1")
def executing_pipeline(rows: int, mock_parameter: str = "mock"):
    data_frame = step_one(rows)
    train_data, test_data, train_target, test_target = step_two(data_frame)
    model = step_three(train_data, train_target)
    return step_four(model, data=test_data, target=test_target)

if __name__ == "__main__":
    PipelineDecorator.run_locally()
    accuracy = executing_pipeline(rows=150)
    assert type(accuracy) is float
    assert 0.8 < accuracy <= 1.0
    nodes = executing_pipeline.last_run.nodes
    assert list(nodes) == ["step_one", "step_two", "step_three", "step_four"]
    assert nodes["step_two"].outputs["train_data.npy"].exists()
"""

TABULAR = """
from vhpipe.api import PipelineDecorator

@PipelineDecorator.component(return_values=["table", "names"])
def create_dataset(kind: str):
    from sklearn.datasets import load_breast_cancer, load_wine
    loaded = {"wine": load_wine, "cancer": load_breast_cancer}[kind]()
    return [loaded.data, loaded.target], [str(name) for name in loaded.feature_names]

@PipelineDecorator.component(return_values=["processed"])
def preprocess(table, fill: float = 0.0):
    from sklearn.preprocessing import StandardScaler
    data, target = table
    return [StandardScaler().fit_transform(data), target]

@PipelineDecorator.component(return_values=["described"], monitor_metrics=[("trees", "score")])
def train_model(processed, depth: int):
    import json
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    data, target = processed
    score = cross_val_score(DecisionTreeClassifier(max_depth=depth, random_state=0), data, target, cv=3).mean()
    print(json.dumps({"score": score}))
    return {"depth": depth, "score": float(score)}

@PipelineDecorator.component(return_values=["best"], monitor_models=["best"])
def select_best(models):
    return max((each["model"] for each in models), key=lambda model: model["score"])

@PipelineDecorator.pipeline(name="tabular", project="examples", version="2.0")
def tabular(kind: str = "wine", depths: str = "1,4", only_look: bool = False):
    table, names = create_dataset(kind)
    if only_look:
        return names
    processed = preprocess(table)
    models = [{"model": train_model(processed, int(depth))} for depth in depths.split(",")]
    return select_best(models)

if __name__ == "__main__":
    best = tabular(depths="1,4")
    assert best["depth"] == 4, best
    assert best["score"] > 0.8
    run = tabular.last_run
    assert list(run.nodes) == ["create_dataset", "preprocess", "train_model", "train_model_1", "select_best"]
    assert run.node("select_best").parents == ("train_model", "train_model_1")
    names = tabular(kind="cancer", only_look=True)
    assert len(names) == 30
    assert list(tabular.last_run.nodes) == ["create_dataset"]
"""


@pytest.mark.long
def test_a_pipeline_of_steps_of_a_file(made: Any) -> None:
    for name, text in SCRIPTS.items():
        (made.folder / name).write_text(text)
    made.program(FROM_TASKS, "from_tasks.py")
    assert json.loads(made.vhpipe("show", "1", "--json").stdout)["status"] == "complete"


@pytest.mark.long
def test_a_pipeline_of_functions(made: Any) -> None:
    assert "reused 0" in made.program(FROM_FUNCTIONS, "from_functions.py").stdout
    assert "reused 3" in made.program(FROM_FUNCTIONS, "from_functions.py").stdout


@pytest.mark.long
def test_a_pipeline_of_decorators(made: Any) -> None:
    made.program(FROM_DECORATORS, "from_decorators.py")


@pytest.mark.long
def test_a_pipeline_with_a_loop_and_an_early_return(made: Any) -> None:
    made.program(TABULAR, "tabular.py")
