import pytest

from vhpipe.plan.model import Datum, MonitorName, PlannedMonitor
from vhpipe.plan.monitored_results import monitored_metrics, monitored_outputs


@pytest.mark.parametrize(
    ("source", "target", "shown"),
    [
        ("loss", "loss", {"loss": 1}),
        ("loss", "total", {"total": 1}),
        ("val_*", "val_*", {"val_loss": 2, "val_acc": 3}),
        ("val_*", "v/*", {"v/loss": 2, "v/acc": 3}),
        ("val_l*", "best", {"best": 2}),
        ("*", "*", {"loss": 1, "val_loss": 2, "val_acc": 3, "odd[1]": 4}),
        ("odd[1]", "odd[1]", {"odd[1]": 4}),
        ("LOSS", "LOSS", {}),
    ],
)
def test_a_metric_is_selected_by_name_or_glob_and_renamed(source: str, target: str, shown: dict[str, int]) -> None:
    values = {"_time": "now", "loss": 1, "val_loss": 2, "val_acc": 3, "odd[1]": 4}
    assert monitored_metrics(PlannedMonitor(metrics=(MonitorName(source, target),)), values) == shown


def test_outputs_are_selected_as_edges_select_them() -> None:
    outputs = [Datum("", name, "", 0) for name in ("a/m.pkl", "b.pkl", "m.pkl.metadata.json")]
    monitor = PlannedMonitor(
        artifacts=(MonitorName("*.pkl", "*.pkl"),), models=(MonitorName("m.pkl", "best"), MonitorName("b*", "best"))
    )
    found = [(each.kind, each.name, each.datum.name) for each in monitored_outputs(monitor, outputs)]
    assert found == [
        ("artifact", "a/m.pkl", "a/m.pkl"), ("artifact", "b.pkl", "b.pkl"),
        ("model", "best", "a/m.pkl"), ("model", "best", "b.pkl"),
    ]  # fmt: skip
