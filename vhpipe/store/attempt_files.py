"""The names of what an attempt leaves in its folder, for those who write it and those who read it.

`RunFolder` says where the folder of an attempt is.
"""

COMMAND = "command.sh"
LOG = "log"
LOG_INDEX = "log.index"
"""When each part of the log was written."""
METADATA = "metadata.jsonl"
MANIFEST = "manifest.json"
PRIVATE = "sandbox"
"""The home and the `/tmp` of a step in the sandbox; gone when it has ended."""
REPOSITORY = "repository"
"""The code that the command ran in, where it was kept."""

INPUTS = "inputs"
OUTPUTS = "outputs"
CONFIG = "config"
STEP_FOLDERS = (INPUTS, OUTPUTS, CONFIG)
"""The folders that the command is given, each by a variable `VH_…_DIR`."""
CACHE_VOLUMES = "cache-volumes"
"""The folder with the cache volumes of a project, in its state folder and below `/valohai`."""
SHARED_FILES = "shared"
"""The folder beside the slots with what working copies share."""
