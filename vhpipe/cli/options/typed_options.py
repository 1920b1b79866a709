"""Options of click that a command gets as one typed value, so that no mapping of options goes on from there."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def typed_options(name: str, kind: type[tuple[Any, ...]], *options: Decorator) -> Callable[[Command], Command]:
    """What gives a command these options as its argument `name`: a named tuple, whose fields they are called as.

    The help lists them in the order given. A field without an option keeps its default.
    """
    fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_value(*words: Any, **given: Any) -> Any:
            own = {field: given.pop(field) for field in fields if field in given}
            return command(*words, **given, **{name: kind(**own)})

        decorated: Any = with_value
        for option in reversed(options):
            decorated = option(decorated)
        return decorated  # type: ignore[no-any-return]

    return decorate
