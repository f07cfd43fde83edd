"""YAML text -> PyYAML's nodes, which know their places; every syntax error in plain words.

Nodes, not values: what a scalar means (text, number, date) is decided in ``plain_values``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import yaml
from yaml.nodes import Node, ScalarNode

from dockerbuild_lib.catalog.problems import Position, Problems

Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader where PyYAML was built with it: some ten times quicker."""

MAX_NESTING = 20
"""Collections within collections; the catalogue needs five."""

_COMPOSER_STACK = 5000
"""Nestings that libyaml's recursive composer surely bears; at some 50,000 it crashes the process."""

# YAML 1.2, production 1: what a stream may hold.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_WORDS = (  # what libyaml or PyYAML says, what we say, and the fix
    ("tab character", "a tab stands in the indentation", "indent with spaces"),
    ("but found another document", "a second document starts here", "keep one document in the file"),
    ("second occurrence", "YAML anchors (&) are not taken here", "write the value out, or quote a text"),
    ("undefined alias", "YAML aliases (*) are not taken here", "quote a text that starts with '*'"),
    ("could not find expected ':'", "the ':' after a key is missing", "write 'key: value'"),
    ("mapping values are not allowed", "a ':' stands where none may be", "quote a text that holds ': '"),
    ("expected key", "this does not line up with the lines above", "check the indentation and the quotes"),
    ("<block end>", "this does not line up with the lines above", "check the indentation and the quotes"),
    ("'-' indicator", "this does not line up with the list above", "check the indentation"),
    ("expected node content", "a value is missing here", "write it, or close the list or mapping"),
    ("entries are not allowed", "a '-' stands where no list can start", "start the list on the next line"),
    (
        "comment or line break",
        "a text of several lines starts on the next line",
        "keep nothing behind '|' or '>', or quote it",
    ),
    ("incompatible YAML", "this is another version of YAML", "remove the line that starts with %YAML"),
    ("unknown escape", "an unknown escape stands in double quotes", "write single quotes, or double the backslash"),
)


def read_text(path: Path, label: str, problems: Problems) -> str | None:
    """Return the file's text, or note why it cannot be had: unreadable, no UTF-8, control characters."""
    try:
        return decode(path.read_bytes(), label, problems)
    except OSError as error:
        problems.add(label, None, f"cannot be read: {error.strerror or error}")
        return None


def decode(content: bytes, label: str, problems: Problems) -> str | None:
    """Return *content* as text; a byte order mark is dropped."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        problems.add(label, _end_of(before), f"the byte 0x{content[error.start]:02x} is no UTF-8", "save it as UTF-8")
        return None
    if found := _UNPRINTABLE.search(text):
        place = _end_of(text[: found.start()])
        problems.add(label, place, f"the control character U+{ord(found.group()):04X} stands here", "remove it")
        return None
    return text


def compose(text: str, label: str, problems: Problems) -> Node | None:
    """Return the root node of the only document in *text* (of null, when it is empty); None when it is no YAML."""
    try:
        if _may_exhaust_stack(text) and (deep := _too_deep(text)):
            problems.add(label, deep, *NESTED_TOO_DEEP)
            return None
        return _single_node(text)
    except yaml.MarkedYAMLError as error:
        problems.add(label, *_explained(error, text))
    except RecursionError:  # PyYAML's own composer, where libyaml's is missing
        problems.add(label, None, "too many collections are nested in it", "write it flatter")
    except yaml.YAMLError as error:
        problems.add(label, None, f"is no valid YAML: {' '.join(str(error).split())}")
    return None


NESTED_TOO_DEEP = (f"more than {MAX_NESTING} collections are nested here", "write it flatter")


class _Mark(Protocol):
    line: int
    column: int


def position_of(mark: _Mark | None) -> Position:
    """Return a mark of PyYAML's, which counts from 0, as a position: the file's start, where it is missing."""
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)


def alias_positions(text: str) -> list[tuple[str, Position]]:
    """Return the name and place of every alias in a valid YAML text: nodes no longer know them."""
    tokens = yaml.scan(text, Loader=Loader)
    return [(token.value, position_of(token.start_mark)) for token in tokens if isinstance(token, yaml.AliasToken)]


def _single_node(text: str) -> Node:
    loader = Loader(text)
    try:
        node: Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node if node is not None else _nothing()


def _nothing() -> Node:
    start = yaml.Mark("", 0, 0, 0, "", 0)
    return ScalarNode("tag:yaml.org,2002:null", "", start, start)


def _may_exhaust_stack(text: str) -> bool:
    """Say whether *text* could nest deeper than the composer bears: a bound that is cheap to compute.

    A collection in brackets costs its bracket; each further block collection starts in a later column of
    some line, except that a list may start in the column of its mapping.
    """
    widest = max(map(len, text.splitlines()), default=0)
    return 2 * widest + text.count("[") + text.count("{") > _COMPOSER_STACK


def _too_deep(text: str) -> Position | None:
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_NESTING:
                return position_of(event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


def _explained(error: yaml.MarkedYAMLError, text: str) -> tuple[Position, str, str]:
    place = position_of(error.problem_mark or error.context_mark)
    said = " ".join(str(error.problem or error.context).split())
    character = _character_at(text, place)
    if "cannot start any token" in said:
        return place, *_bad_start(character)
    if error.context_mark and (opened := _unclosed(error, said)):
        return opened
    for part, what, fix in _WORDS:
        if part in said:
            return place, what, fix
    return place, f"this is no valid YAML: {said}", "check the quotes and the indentation"


def _unclosed(error: yaml.MarkedYAMLError, said: str) -> tuple[Position, str, str] | None:
    start = position_of(error.context_mark)
    if "',' or ']'" in said:
        return (
            position_of(error.problem_mark),
            "',' or ']' is missing",
            f"see the list that starts on line {start.line}",
        )
    if "',' or '}'" in said:
        what = "',' or '}' is missing"
        return position_of(error.problem_mark), what, f"see the mapping that starts on line {start.line}"
    if "unexpected end of stream" in said:
        return start, "the quote that starts here is not closed", "close it"
    return None


def _bad_start(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab stands in the indentation", "indent with spaces"
    return f"nothing can start with {character!r}", "quote the text"


def _character_at(text: str, place: Position) -> str:
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    if place.line > len(lines):
        return ""
    return lines[place.line - 1][place.column - 1 : place.column]


def _end_of(text: str) -> Position:
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
    return Position(len(lines), len(lines[-1]) + 1)
