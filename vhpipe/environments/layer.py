"""The folder of an attempt that its step installs into: gone when the attempt has ended."""

import os

FOLDER = "python"
LAYER_VARIABLE = "VHPIPE_PYTHON_LAYER"
"""Names the packages of the layer to programs of the environment below it."""


def remove_layer(attempt: str) -> None:
    """Remove it from the folder of an attempt; most have none, and what cannot be removed goes with the run."""
    path = f"{attempt}/{FOLDER}"
    if os.path.lexists(path):
        from shutil import rmtree

        rmtree(path, ignore_errors=True)
