"""Where the platform has the folders of an execution, and whether a path is in a folder."""

VALOHAI = "/valohai"
REPOSITORY = f"{VALOHAI}/repository"
INPUTS, OUTPUTS, CONFIG = f"{VALOHAI}/inputs", f"{VALOHAI}/outputs", f"{VALOHAI}/config"
FOLDERS = (REPOSITORY, INPUTS, OUTPUTS, CONFIG)


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder or below it; both are absolute and without `..`."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
