"""A YAML file, parsed: its plain value for the models, its nodes for the places of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dockerbuild_lib.catalog.plain_values import TEXT_TAGS, UNREADABLE, plain_value
from dockerbuild_lib.catalog.problems import Position, Problems, shown
from dockerbuild_lib.catalog.yaml_nodes import compose, position_of, read_text

Steps = Sequence[str | int]
"""The way to a value from the root: keys of mappings and indices of lists."""


@dataclass(frozen=True, eq=False)
class Document:
    """One YAML document."""

    label: str
    """The file as the user calls it (or what else it comes from)."""
    root: Node
    value: object
    """Plain values; ``UNREADABLE`` where the problem is already noted."""

    def locate(self, steps: Steps) -> tuple[Node | None, Node]:
        """Return key node and value node of what is there, or of the nearest collection around it.

        The key node is None at the root and in lists.
        """
        key: Node | None = None
        node = self.root
        for step in steps:
            child = _child(node, step)
            if child is None:
                break
            key, node = child
        return key, node

    def key_position(self, steps: Steps) -> Position:
        """Return the place of the key (in a list: of the item) at *steps*."""
        key, node = self.locate(steps)
        return position_of((key or node).start_mark)

    def value_position(self, steps: Steps) -> Position:
        """Return the place of the value at *steps*; of its key, where no value is written."""
        key, node = self.locate(steps)
        if key is not None and isinstance(node, ScalarNode) and node.value == "" and not node.style:
            return position_of(key.start_mark)
        return position_of(node.start_mark)

    def keys(self, *steps: str) -> list[tuple[str, Position]]:
        """Return the keys of the mapping at *steps* with their places; none when there is no mapping."""
        node = self._node_at(steps)
        if not isinstance(node, MappingNode):
            return []
        return [(key.value, position_of(key.start_mark)) for key, _value in node.value if isinstance(key, ScalarNode)]

    def texts(self, *steps: str) -> Iterator[tuple[str, Position]]:
        """Go through the text at *steps*, or the texts of the list there, with their places."""
        node = self._node_at(steps)
        items = node.value if isinstance(node, SequenceNode) else [node]
        for item in items:
            if isinstance(item, ScalarNode) and item.tag in TEXT_TAGS:
                yield item.value, position_of(item.start_mark)

    def _node_at(self, steps: Steps) -> Node | None:
        node: Node = self.root
        for step in steps:
            child = _child(node, step)
            if child is None:
                return None
            node = child[1]
        return node


def _child(node: Node, step: str | int) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == step:
                return key, value
    elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None


def read_document(path: Path, problems: Problems, foreign: frozenset[str] = frozenset()) -> Document | None:
    """Read a YAML file; None when it cannot be read or is no YAML, which is noted.

    Values of top-level keys in *foreign* belong to someone else and are left out.
    """
    label = shown(path)
    text = read_text(path, label, problems)
    return None if text is None else parse_document(text, label, problems, foreign)


def parse_document(text: str, label: str, problems: Problems, foreign: frozenset[str] = frozenset()) -> Document | None:
    """Parse YAML text that came from *label*; see ``read_document``."""
    root = compose(text, label, problems)
    if root is None:
        return None
    value = plain_value(root, text, label, problems, foreign)
    return None if value is UNREADABLE else Document(label, root, value)
