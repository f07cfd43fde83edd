"""YAML nodes -> plain values (dict, list, str, int, float, bool, None), as strictly as a catalogue needs.

Refused, each with its place: keys that are no text, duplicate keys, aliases, merge keys, tags, deep nesting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dockerbuild_lib.catalog.problems import Position, Problems
from dockerbuild_lib.catalog.yaml_nodes import MAX_NESTING, NESTED_TOO_DEEP, alias_positions, position_of

TAG = "tag:yaml.org,2002:"
TEXT_TAGS = {TAG + "str", TAG + "value"}
_LONGEST_NUMBER = 100
_LOOKS_LIKE_A_NUMBER = ("YAML takes this for a number", "quote it")


class Unreadable:
    """Stands for a value whose problem is already noted."""


class Date:
    """Stands for what YAML takes for a date: a catalogue has none."""


UNREADABLE: Final = Unreadable()
_DATE: Final = Date()
_reader = SafeConstructor()

_SCALARS: dict[str, Callable[[ScalarNode], object]] = {
    TAG + "int": _reader.construct_yaml_int,
    TAG + "float": _reader.construct_yaml_float,
    TAG + "bool": _reader.construct_yaml_bool,
    TAG + "null": lambda _node: None,
    TAG + "timestamp": lambda _node: _DATE,
}


def plain_value(root: Node, text: str, label: str, problems: Problems, foreign: frozenset[str]) -> object:
    """Return the plain value of *root*, the node of *text*; top-level keys in *foreign* are passed over.

    It is ``UNREADABLE`` when there are aliases: each is noted, and what they stand for is not looked at.
    """
    builder = _Builder(label, problems, foreign)
    value = builder.build(root, 0)
    if builder.aliased:
        for name, position in alias_positions(text):
            problems.add(label, position, f"the alias *{name} is not taken here", "write the value out")
    return UNREADABLE if builder.aliased else value


def number_of(node: ScalarNode) -> object:
    """Return the number, flag, date or null that a scalar is; raise ValueError when it only looks like one."""
    if len(node.value) > _LONGEST_NUMBER:
        raise ValueError("too long")
    try:
        return _SCALARS[node.tag](node)
    except (KeyError, IndexError, OverflowError) as error:
        raise ValueError(str(error)) from error


def read_as(node: ScalarNode) -> str:
    """Say in words what YAML takes an unquoted scalar for."""
    match number_of(node):
        case bool(flag):
            return "a flag" if node.value in ("true", "false") else f"the flag {str(flag).lower()}"
        case int(number) | float(number):
            return "a number" if str(number) == node.value else f"the number {number}"
        case None:
            return "nothing"
        case _:
            return "a date"


class _Builder:
    def __init__(self, label: str, problems: Problems, foreign: frozenset[str]) -> None:
        self.label, self.problems, self.foreign = label, problems, foreign
        self.aliased = False
        self._seen: set[int] = set()

    def build(self, node: Node, depth: int) -> object:
        # A node met twice is an alias: refused, so that neither cycles nor "billion laughs" are walked.
        if id(node) in self._seen:
            self.aliased = True
            return UNREADABLE
        self._seen.add(id(node))
        if isinstance(node, ScalarNode):
            return node.value if node.tag in TEXT_TAGS else self._scalar(node)
        if depth == MAX_NESTING:
            return self._refuse(node, *NESTED_TOO_DEEP)
        if isinstance(node, MappingNode) and node.tag == TAG + "map":
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode) and node.tag == TAG + "seq":
            return [self.build(item, depth + 1) for item in node.value]
        return self._refuse_tag(node)

    def _scalar(self, node: ScalarNode) -> object:
        if node.tag == TAG + "merge":
            return node.value
        if node.tag not in _SCALARS:
            return self._refuse_tag(node)
        try:
            return number_of(node)
        except ValueError:
            return self._refuse(node, *_LOOKS_LIKE_A_NUMBER)

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, object] | Unreadable:
        readable = True
        values: dict[str, object] = {}
        places: dict[str, Position] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if depth == 0 and key in self.foreign and key not in places:
                places[key] = position_of(key_node.start_mark)
                continue
            value = self.build(value_node, depth + 1)
            if key is None:
                readable = False  # what else is in it, or missing from it, is not known
                continue
            if key in places:
                self._refuse(key_node, f"duplicate key {key!r}; it is already on line {places[key].line}", "keep one")
                continue
            places[key] = position_of(key_node.start_mark)
            values[key] = value
        return values if readable else UNREADABLE

    def _key(self, node: Node) -> str | None:
        if id(node) in self._seen:
            self.aliased = True
            return None
        self._seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self._scalar_key(node)
        self._refuse(node, "a list or mapping stands as a key", "a key is a text")
        return None

    def _scalar_key(self, node: ScalarNode) -> str | None:
        text: str = node.value
        if node.tag in TEXT_TAGS:
            return text
        if node.tag == TAG + "merge":
            self._refuse(node, "merge keys (<<) are not taken here", "write the keys out")
            return None
        if node.tag not in _SCALARS:
            self._refuse_tag(node)
            return None
        self._refuse(node, *misread(node))
        return text

    def _refuse(self, node: Node, what: str, fix: str) -> Unreadable:
        self.problems.add(self.label, position_of(node.start_mark), what, fix)
        return UNREADABLE

    def _refuse_tag(self, node: Node) -> Unreadable:
        tag = node.tag.replace(TAG, "!!")
        return self._refuse(node, f"the YAML tag {tag!r} is not taken here", "remove it, or quote the text")


def misread(node: ScalarNode) -> tuple[str, str]:
    """Return problem and fix for a scalar that should be a text and that YAML reads as something else."""
    if not node.value:
        return "no value is given, where a text belongs", "write one"
    try:
        return f"{node.value} is read as {read_as(node)}", "quote it"
    except ValueError:
        return _LOOKS_LIKE_A_NUMBER
