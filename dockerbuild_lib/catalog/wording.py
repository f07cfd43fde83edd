"""pydantic's refusals in plain words: what is wrong with a value, and how to write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dockerbuild_lib.catalog.plain_values import TAG, misread
from dockerbuild_lib.catalog.shapes import choices, choices_of_union, discriminator_of, known_keys, union_members
from dockerbuild_lib.catalog.suggestions import suggestion

Words = tuple[str, str | None]
"""What is wrong, and the fix."""

_SHORT = 60

PATTERNS = {  # the models' patterns (Field(pattern=...)) in words; a test holds that none is missing
    r"^[0-9a-f]{64}$": "a sha256: 64 digits and letters from a to f",
    r"^[a-z0-9][a-z0-9._-]*$": "a name of small letters, digits, '.', '_' and '-'",
    r"^3\.[0-9]+t?$": "a Python such as 3.11",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "a variable's name: letters, digits and '_'",
    r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$": "a module's dotted name",
    r"^[a-z0-9{][a-z0-9+.{}:-]+(/[a-z0-9-]+)?$": "a Debian package's name, or NAME/SUITE",
    r"^[a-z0-9_]+$": "a platform tag (PEP 425): small letters, digits and '_'",
    r"^2\.[0-9]+$": "a version of glibc such as 2.17",
    r"^[0-9]{1,3}\.[0-9]{1,3}$": "a version of Windows such as 10.0",
    r"^[a-z0-9_]+(-[a-z0-9_]+){2,3}$": "a GNU triple such as aarch64-linux-gnu",
    r"^[0-9]{2}-[A-Za-z0-9._-]+\.patch$": "a patch's file name such as 01-name.patch",
    r"^[a-z0-9*?][a-z0-9._*?-]*$": "a platform or a pattern of platforms such as linux-*",
    r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$": "a distribution's name such as MarkupSafe",
    r"^([.-][A-Za-z0-9]+)+$": "a suffix of a version such as .chromium.4",
    r"^[a-z0-9_-]+:[A-Za-z0-9._+-]+$": "a CIPD tag such as manylinux_version:manylinux2014-x64",
    r"^[A-Za-z0-9_][A-Za-z0-9_.+~!-]*$": "a file's name",
    r"^pool/[A-Za-z0-9+._~/-]+$": "a path in a Debian archive: pool/...",
    r"^https?://[^\s@{}/]+/([^\s{}]|\{version\})+$": "an http or https address, {version} allowed, without a password",
    r"^([A-Za-z0-9_]|\{version\})([A-Za-z0-9._/+-]|\{version\})*$": "a tag, a branch or a commit, {version} allowed",
    r"^([0-9a-f]{40}|[0-9a-f]{64})$": "a commit's whole id: 40 or 64 digits and letters from a to f",
    r"^[1-9][0-9]*[kmgKMG]$": "an amount of memory such as 512m or 4g",
    r"^[1-9][0-9]*[mgtMGT]$": "a size such as 512m or 8g",
    r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._/-]+)?$": "a registry such as registry.example:5000/wheels",
}


@dataclass(frozen=True)
class Refusal:
    """One error of pydantic's with all that words need."""

    type: str
    context: dict[str, Any]
    message: str
    key: str
    """The last key on the way."""
    annotation: Any
    """What the models say about the place; of the model around it, where a key is missing or unknown."""
    node: Node
    """The value in the file."""
    on_key: bool
    """It is about the key itself."""

    @property
    def text(self) -> str:
        """The value as it is written."""
        return self.key if self.on_key else str(self.node.value)


def explain(refusal: Refusal) -> Words:
    """Say in plain words what is wrong and how to write it."""
    words = _WORDS.get(refusal.type)
    return words(refusal) if words else (f"this is refused: {refusal.message}", None)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHORT else text[:_SHORT] + "...")


def _unknown_key(refusal: Refusal) -> Words:
    return f"unknown key {_quoted(refusal.key)}", suggestion(refusal.key, known_keys(refusal.annotation))


def _missing_key(refusal: Refusal) -> Words:
    return f"missing key {refusal.key!r}", f"add '{refusal.key}: ...'"


def _no_text(refusal: Refusal) -> Words:
    if isinstance(refusal.node, ScalarNode):
        return misread(refusal.node)
    return f"{_kind(refusal.node)} stands here, where a text belongs", "write one text"


def _bad_pattern(refusal: Refusal) -> Words:
    wanted = PATTERNS.get(refusal.context["pattern"], f"a match of {refusal.context['pattern']}")
    return f"{_quoted(refusal.text)} is not {wanted}", None


def _no_list(refusal: Refusal) -> Words:
    if not isinstance(refusal.node, ScalarNode):
        return f"{_kind(refusal.node)} stands here, where a list belongs", "write a list: [...]"
    if not refusal.node.value:
        return "no value is given, where a list belongs", "write a list, [] for an empty one"
    text = refusal.node.value.strip()
    example = text if len(text.splitlines()) == 1 and len(text) <= _SHORT else "..."
    return "a single value stands here, where a list belongs", f"write a list: [{example}]"


def _no_mapping(refusal: Refusal) -> Words:
    if not isinstance(refusal.node, ScalarNode):
        return f"{_kind(refusal.node)} stands here, where a mapping belongs", "write 'key: value' lines"
    if not refusal.node.value:
        return "no value is given, where a mapping belongs", "write 'key: value' lines, {} for none"
    return "a single value stands here, where a mapping belongs", "write 'key: value' lines"


def _no_whole_number(refusal: Refusal) -> Words:
    if not isinstance(refusal.node, ScalarNode):
        return f"{_kind(refusal.node)} stands here, where a whole number belongs", "write a number"
    if refusal.node.tag == TAG + "str" and refusal.text.isdecimal():
        return f"{_quoted(refusal.text)} is a text, where a whole number belongs", "remove the quotes"
    return f"{_quoted(refusal.text)} is no whole number", "write a number"


def _no_flag(_refusal: Refusal) -> Words:
    return "this is neither true nor false", "write true or false"


def _too_small(refusal: Refusal) -> Words:
    least = refusal.context["ge"]
    return f"{_quoted(refusal.text)} is less than {least}", f"write {least} or more"


def _too_big(refusal: Refusal) -> Words:
    most = refusal.context["le"]
    return f"{_quoted(refusal.text)} is more than {most}", f"write {most} or less"


def _empty(refusal: Refusal) -> Words:
    return f"{_kind(refusal.node)} stands here that is empty", "write at least one entry"


def _empty_text(_refusal: Refusal) -> Words:
    return "an empty text stands here", "write one"


def _not_in_choices(refusal: Refusal) -> Words:
    return _choose(refusal.text, choices(refusal.annotation))


def _no_member(refusal: Refusal) -> Words:
    members = union_members(refusal.annotation)
    key = discriminator_of(members)
    if not isinstance(refusal.node, MappingNode):
        return _no_mapping(refusal)
    values = choices_of_union(members)
    if refusal.type == "union_tag_not_found":
        return f"missing key {key!r}", f"write one of: {', '.join(values)}"
    return _choose(refusal.context["tag"], values)


def _choose(text: str, values: list[str]) -> Words:
    advice = suggestion(text, values)
    return f"{_quoted(text)} is none of: {', '.join(values)}", advice if advice.startswith(
        "did"
    ) else "write one of them"


def _refused_value(refusal: Refusal) -> Words:
    what, _, fix = str(refusal.context["error"]).partition("; ")
    return what, fix or None


def _half_character(_refusal: Refusal) -> Words:
    return "half of a character (a lone surrogate) stands here", "write the whole character"


def _kind(node: Node) -> str:
    if isinstance(node, SequenceNode):
        return "a list"
    return "a mapping" if isinstance(node, MappingNode) else "a single value"


_WORDS: dict[str, Callable[[Refusal], Words]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "string_type": _no_text,
    "string_pattern_mismatch": _bad_pattern,
    "string_too_short": _empty_text,
    "string_unicode": _half_character,
    "tuple_type": _no_list,
    "dict_type": _no_mapping,
    "model_type": _no_mapping,
    "model_attributes_type": _no_mapping,
    "int_type": _no_whole_number,
    "bool_type": _no_flag,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_big,
    "too_short": _empty,
    "literal_error": _not_in_choices,
    "union_tag_invalid": _no_member,
    "union_tag_not_found": _no_member,
    "value_error": _refused_value,
}
