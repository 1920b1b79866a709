"""Pick the model that did best on the test set, and show how it does on digits it has never met."""

import csv
import shutil

import joblib
import matplotlib
import numpy as np
import valohai

matplotlib.use("Agg")
from matplotlib import pyplot


def main() -> None:
    candidates = [(joblib.load(path), path) for path in sorted(valohai.inputs("model").paths())]
    best, path = max(candidates, key=lambda candidate: candidate[0]["accuracy"])
    shutil.copy(path, valohai.outputs().path("best-model.joblib"))

    labels = np.load(valohai.inputs("labels").path())
    predicted = best["model"].predict(np.load(valohai.inputs("images").path()))
    accuracy = float((predicted == labels).mean())
    write_predictions(labels, predicted)
    draw_confusion(labels, predicted, f"{best['name']}: {accuracy:.1%} of {len(labels)} digits right")

    with valohai.logger() as logger:
        logger.log("candidates", len(candidates))
        logger.log("best_model", best["name"])
        logger.log("accuracy", round(accuracy, 4))


def write_predictions(labels: np.ndarray, predicted: np.ndarray) -> None:
    with open(valohai.outputs().path("predictions.csv"), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["digit", "label", "predicted"])
        writer.writerows(zip(range(len(labels)), labels, predicted, strict=True))


def draw_confusion(labels: np.ndarray, predicted: np.ndarray, title: str) -> None:
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (labels, predicted), 1)
    figure, axes = pyplot.subplots(figsize=(6, 6))
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(column, row, count, ha="center", va="center", color="white" if count > 20 else "black")
    axes.set(xticks=range(10), yticks=range(10), xlabel="predicted", ylabel="written", title=title)
    axes.title.set_fontsize(9)
    figure.savefig(valohai.outputs().path("confusion-matrix.png"), dpi=100)


if __name__ == "__main__":
    main()
