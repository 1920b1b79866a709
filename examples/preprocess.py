"""Divide scikit-learn's handwritten digits into a training, a test and a holdout set."""

import numpy as np
import valohai
from sklearn.datasets import load_digits

SHARES = {"train": 0.6, "test": 0.2, "holdout": 0.2}


def main() -> None:
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(valohai.parameters("seed", 7).value).permutation(len(labels))
    ends = np.cumsum([round(share * len(labels)) for share in SHARES.values()])
    with valohai.logger() as logger:
        for name, rows in zip(SHARES, np.split(order, ends[:-1]), strict=True):
            np.save(valohai.outputs().path(f"mnist-{name}-images.npy"), (images[rows] / 16).astype(np.float32))
            np.save(valohai.outputs().path(f"mnist-{name}-labels.npy"), labels[rows])
            logger.log(f"{name}_digits", len(rows))


if __name__ == "__main__":
    main()
