"""Whether this interpreter is that of a function step."""

_functions: list[str] = []


class InsideStep(BaseException):  # not an Exception: the script that is being loaded must not take it for a failure
    """A pipeline was to be started in a process that is itself a step of one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not available inside a step")


def enter(function: str) -> None:
    _functions.append(function)


def is_inside() -> bool:
    return bool(_functions)
