"""Where the environments of a project's steps are kept, and which Python they are made from: plain data."""

import msgspec


class EnvironmentsPlace(msgspec.Struct, frozen=True):
    """`folder` is that of the environments, `project` the one in which the Python is looked for on PATH.

    `run` is the folder of the run. `required` is the install line of every step that has none; empty for none.
    """

    folder: str
    project: str
    run: str
    required: str = ""
