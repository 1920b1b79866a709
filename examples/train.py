"""Train one classifier with one pair of settings and measure it on the test set."""

import joblib
import numpy as np
import valohai
from sklearn.svm import SVC


def main() -> None:
    penalty = valohai.parameters("penalty", 1.0).value
    gamma = valohai.parameters("gamma", 0.05).value
    model = SVC(C=penalty, gamma=gamma)
    model.fit(load("training-set-images"), load("training-set-labels"))
    accuracy = model.score(load("test-set-images"), load("test-set-labels"))

    with valohai.logger() as logger:
        logger.log("penalty", penalty)
        logger.log("gamma", gamma)
        logger.log("accuracy", round(accuracy, 4))
    # The settings are in the name: the outputs of all executions of a sweep meet in the next node's input.
    name = f"model-penalty={penalty}-gamma={gamma}.joblib"
    joblib.dump({"model": model, "accuracy": accuracy, "name": name}, valohai.outputs().path(name))


def load(name: str) -> np.ndarray:
    return np.load(valohai.inputs(name).path())


if __name__ == "__main__":
    main()
