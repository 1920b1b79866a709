"""Every setting there is, declared once: where it stands, what it can be, and who may set it.

A file of a project comes with the project, from whoever wrote it. So what hands out something of the user's or decides
which programs run is for the user alone: their own file, the environment and the command line. What decides about
findings is for the project alone, so that a verdict does not depend on who asks.
"""

from typing import Any, Generic, NamedTuple, TypeVar

from vhpipe.settings.values import (
    AMOUNTS,
    APPROVAL,
    COUNT,
    GROUPS,
    PATH,
    PLACE,
    PULL,
    REPOSITORY,
    RULES,
    SECONDS,
    SEVERITY,
    SIZE,
    SWITCH,
    TEXT,
    TEXTS,
    VALOHAI_FOLDER,
    ValueType,
)

T = TypeVar("T")

ANY_NAME = "NAME"
"""The key of a table whose keys the user invents."""
OF_EACH = ".NAME"
"""Ends the name of a table that is written once for each name that the user invents, as `steps.train`."""


class Key(NamedTuple, Generic[T]):
    """One setting. `default` is as the docs say it.

    `in_project` and `in_user` say in which files it may stand; of `kept_values` only the user may set it to one.
    `variable` and `option` are None where there is none.
    With `stays_inside` a project's file names only what lies in its own folder.
    """

    table: str
    name: str
    type: ValueType[T]
    meaning: str
    default: str
    option: str | None = None
    variable: str | None = None
    in_project: bool = True
    in_user: bool = True
    kept_values: tuple[object, ...] = ()
    stays_inside: bool = False


SELECT = Key("validate", "select", RULES, "rules and patterns to check", "every rule", "--select",
             in_user=False)  # fmt: skip
IGNORE = Key("validate", "ignore", RULES, "rules and patterns to leave out", "none", "--ignore", in_user=False)
FAIL_ON = Key("validate", "fail-on", SEVERITY, "the least severe finding that makes a check fail", "`error`",
              "--fail-on", in_user=False)  # fmt: skip
BASELINE = Key("validate", "baseline", PATH, "the file of known findings", "none", "--baseline", in_user=False)

JOBS = Key("run", "jobs", COUNT, "executions at once", "number of cores", "--jobs", "VHPIPE_JOBS")
REPOSITORY_KIND = Key("run", "repository", REPOSITORY, "what steps work in", "`copy`", "--repository",
                      "VHPIPE_REPOSITORY", kept_values=("in-place",))  # fmt: skip
APPROVAL_ANSWER = Key("run", "approval", APPROVAL, "the answer where an action requires approval", "`wait`",
                      "--approval", "VHPIPE_APPROVAL", kept_values=("approve",))  # fmt: skip
APPROVAL_TIMEOUT = Key("run", "approval-timeout", SECONDS, "time after which an approval that nobody gave is refused",
                       "never", "--approval-timeout", "VHPIPE_APPROVAL_TIMEOUT")  # fmt: skip
PYTHON = Key("run", "python", PATH, "the Python environment that steps see", "the active or the project's own",
             "--python", "VHPIPE_PYTHON", in_project=False)  # fmt: skip
INHERIT_ENV = Key("run", "inherit-env", SWITCH, "give steps all environment variables", "`false`", "--inherit-env",
                  "VHPIPE_INHERIT_ENV", in_project=False)  # fmt: skip
SECRETS = Key("run", "secrets", TEXTS, "variables to give to steps, and to hide", "none", "--secret",
              "VHPIPE_SECRETS", in_project=False)  # fmt: skip
STATE = Key("run", "state", PATH, "a folder outside of projects that holds a state folder for each of them",
            "`.vhpipe` in each project", "--state", "VHPIPE_STATE", in_project=False)  # fmt: skip
PLACE_OF_RUN = Key("run", "place", PLACE, "where executions run", "`local`", "--in", "VHPIPE_PLACE")
FOLDER_OF_RUN = Key("run", "valohai-folder", VALOHAI_FOLDER, "whether steps find their folders below `/valohai`",
                    "`auto`", variable="VHPIPE_VALOHAI_FOLDER")  # fmt: skip
NETWORK = Key("run", "network", SWITCH, "whether steps reach the network, where the place can keep them from it",
              "`true`", "--no-network", "VHPIPE_NETWORK", in_project=False)  # fmt: skip
PULL_OF_RUN = Key("run", "pull", PULL, "when images of containers are pulled", "`missing`", "--pull",
                  "VHPIPE_PULL")  # fmt: skip
SHM_SIZE = Key("run", "shm-size", SIZE, "how much shared memory a container may use", "`8g`",
               variable="VHPIPE_SHM_SIZE")  # fmt: skip
PLACE_OF_STEP = Key(f"steps{OF_EACH}", "place", PLACE, "where executions of a step run", "as the run")
FOLDER_OF_STEP = Key(f"steps{OF_EACH}", "valohai-folder", VALOHAI_FOLDER, "the same for a step", "as the run")
PLACE_OF_NODE = Key(f"nodes{OF_EACH}", "place", PLACE, "where executions of a node run", "as its step", "--in")
FOLDER_OF_NODE = Key(f"nodes{OF_EACH}", "valohai-folder", VALOHAI_FOLDER, "the same for a node", "as its step")
SLOTS = Key("run", "slots", AMOUNTS, "what executions share of this machine", "the GPUs that are found", "--slots",
            "VHPIPE_SLOTS")  # fmt: skip
QUEUE = Key("queues", ANY_NAME, COUNT, "executions at once of all nodes in this queue", "no limit", "--queue")
SIZE_OF_QUEUE = Key(f"queues{OF_EACH}", "size", COUNT, "the same, in a table of the queue", "no limit", "--queue")
PLACE_OF_QUEUE = Key(f"queues{OF_EACH}", "place", PLACE, "where executions of nodes in a queue run", "as the run",
                     "--in")  # fmt: skip
SLOTS_OF_QUEUE = Key(f"queues{OF_EACH}", "slots", AMOUNTS, "what a queue has of everything that is counted",
                     "no limit")  # fmt: skip
IMAGE_OF_QUEUE = Key(f"queues{OF_EACH}", "image", TEXT, "the image of all steps in a queue", "the step's own")
VARIABLE = Key("variables", ANY_NAME, TEXT, "the value of an environment variable of all steps", "none", "-e",
               in_project=False)  # fmt: skip
PROJECT_VARIABLES = Key("environment-variables", "names", TEXTS, "variables that every step gets from your environment",
                        "none", "-e", in_user=False)  # fmt: skip
VARIABLE_GROUPS = Key("environment-variables", "groups", GROUPS,
                      "the variables of groups that steps name, by group", "none", "-e")  # fmt: skip
VARIABLES_FILE = Key("environment-variables", "file", PATH,
                     "a file with the values of those that your environment lacks", "none", "--env-file",
                     stays_inside=True)  # fmt: skip
ALLOW_MOUNTS = Key("run", "allow-mounts", SWITCH, "let a file mount what lies outside of project and home", "`false`",
                   "--allow-mounts", "VHPIPE_ALLOW_MOUNTS", in_project=False)  # fmt: skip
MOUNT = Key("mounts", ANY_NAME, PATH, "the folder that stands for this source of mounts", "the source itself",
            "--mount", in_project=False)  # fmt: skip

KEYS: tuple[Key[Any], ...] = (
    SELECT, IGNORE, FAIL_ON, BASELINE,
    JOBS, REPOSITORY_KIND, APPROVAL_ANSWER, APPROVAL_TIMEOUT, PYTHON, INHERIT_ENV, SECRETS, STATE, ALLOW_MOUNTS,
    SLOTS, PLACE_OF_RUN, FOLDER_OF_RUN, NETWORK, PULL_OF_RUN, SHM_SIZE,
    PLACE_OF_STEP, FOLDER_OF_STEP, PLACE_OF_NODE, FOLDER_OF_NODE,
    QUEUE, SIZE_OF_QUEUE, PLACE_OF_QUEUE, SLOTS_OF_QUEUE, IMAGE_OF_QUEUE,
    VARIABLE, PROJECT_VARIABLES, VARIABLE_GROUPS, VARIABLES_FILE, MOUNT,
)  # fmt: skip

TABLES = tuple(dict.fromkeys(key.table.removesuffix(OF_EACH) for key in KEYS))


def keys_of(table: str) -> tuple[Key[Any], ...]:
    return tuple(key for key in KEYS if key.table == table)
