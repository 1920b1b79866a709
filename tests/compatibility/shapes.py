"""The shape of a stored type as paths: tags, names of fields and kinds of values, and no name of a class."""

import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

from msgspec import inspect

KINDS = {
    inspect.AnyType: "any", inspect.NoneType: "null", inspect.BoolType: "bool", inspect.IntType: "int",
    inspect.FloatType: "float", inspect.StrType: "str", inspect.CustomType: "any",
}  # fmt: skip
DEEPEST = 12
"""Types that contain themselves are followed so far."""


class Member(NamedTuple):
    """A field, or another part of a type; `kinds` are what its JSON may be, constants as `=text`."""

    is_required: bool
    kinds: frozenset[str]


Shape = dict[str, Member]


def shape_of(stored: Any) -> Shape:
    """All parts of a type by their paths: `[]` is an element, `{}` a value of a mapping, `<tag>` a case of a union.

    Fields of arrays are named by position and name, for both matter there.
    """
    return {path: member for path, member in _walked("", inspect.type_info(stored), True, 0) if path}


def as_text(shape: Shape) -> dict[str, str]:
    """The shape as the golden file has it."""
    return {
        path: f"{'required' if member.is_required else 'optional'}: {' | '.join(sorted(member.kinds))}"
        for path, member in sorted(shape.items())
    }


def from_text(golden: dict[str, str]) -> Shape:
    parts = {path: text.split(": ", 1) for path, text in golden.items()}
    return {path: Member(first == "required", frozenset(kinds.split(" | "))) for path, (first, kinds) in parts.items()}


def breaches(old: Shape, new: Shape) -> list[str]:
    """Why what was written in the old shape cannot be read in the new one; nothing where it can."""
    gone = [f"`{path}` is gone" for path in old if path not in new]
    narrower = [
        f"`{path}` may no longer be {', '.join(sorted(lost))}"
        for path, member in old.items()
        if path in new and (lost := _lost(member.kinds, new[path].kinds))
    ]
    demanded = [
        f"`{path}` is required, and 0.1.0 did not write it"
        for path, member in new.items()
        if member.is_required and _may_be_missing(path, old)
    ]
    return gone + narrower + demanded


def _may_be_missing(path: str, old: Shape) -> bool:
    """Whether an old file has what contains the member, but perhaps not the member itself."""
    if path in old:
        return not old[path].is_required
    parent = path.rpartition("/")[0]
    return not parent or parent in old


def _lost(old: frozenset[str], new: frozenset[str]) -> set[str]:
    if "any" in new:
        return set()
    read_as_well = {"int"} if "float" in new else set()
    constants = {kind for kind in old if kind.startswith("=")} if "str" in new else set()
    return set(old - new - read_as_well - constants)


def _walked(path: str, found: inspect.Type, is_required: bool, depth: int) -> Iterator[tuple[str, Member]]:
    cases = found.types if isinstance(found, inspect.UnionType) else (found,)
    yield path, Member(is_required, frozenset(kind for case in cases for kind in _kinds(case)))
    if depth < DEEPEST:
        for case in cases:
            yield from _parts(path, case, depth + 1)


def _kinds(case: inspect.Type) -> list[str]:
    match case:
        case inspect.EnumType():
            return [f"={_constant(member)}" for member in case.cls]
        case inspect.LiteralType():
            return [f"={value}" for value in case.values]
        case inspect.StructType() if not case.array_like:
            return ["object"]
        case inspect.DictType():
            return ["object"]
        case _:
            return [KINDS.get(type(case), "array")]


def _constant(member: enum.Enum) -> str:
    return str(member.value)


def _parts(path: str, case: inspect.Type, depth: int) -> Iterator[tuple[str, Member]]:
    match case:
        case inspect.StructType():
            yield from _struct(path, case, depth)
        case inspect.NamedTupleType():
            yield from _fields(path, case.fields, depth, by_position=True)
        case inspect.TupleType():
            for place, item in enumerate(case.item_types):
                yield from _walked(f"{path}/[{place}]", item, True, depth)
        case inspect.DictType():
            yield from _walked(f"{path}/{{}}", case.value_type, False, depth)
        case inspect.CollectionType():
            yield from _walked(f"{path}/[]", case.item_type, False, depth)
        case _:
            return


def _struct(path: str, case: inspect.StructType, depth: int) -> Iterator[tuple[str, Member]]:
    if case.tag is not None:
        path = f"{path}/<{case.tag_field}={case.tag}>"
        yield path, Member(False, frozenset({"object"}))
    yield from _fields(path, case.fields, depth, by_position=case.array_like)


def _fields(
    path: str, fields: tuple[inspect.Field, ...], depth: int, by_position: bool
) -> Iterator[tuple[str, Member]]:
    for place, field in enumerate(fields):
        name = f"{place}:{field.encode_name}" if by_position else field.encode_name
        yield from _walked(f"{path}/{name}", field.type, field.required, depth)
