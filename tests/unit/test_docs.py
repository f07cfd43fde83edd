"""The documentation says what the code says: tasks, settings, keys, errors, events; and its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from invoke.parser.context import ParserContext
from pydantic import BaseModel

from dockerbuild_lib.catalog.foreign import MacPlatform, WindowsPlatform
from dockerbuild_lib.catalog.libraries import Library
from dockerbuild_lib.catalog.machines import ImageRecipe, Platform, Python, Toolchain
from dockerbuild_lib.catalog.settings_environment import PREFIX
from dockerbuild_lib.catalog.settings_file import ArchivesSection, DockerbuildSection, LimitsSection
from dockerbuild_lib.catalog.sources import ArchiveSource, DebianSource, GitSource, LocalSource, SdistSource
from dockerbuild_lib.catalog.wheels import PrebuiltWheel, PureWheel, SourceWheel, UniversalWheel, VersionRecipe
from dockerbuild_lib.core import errors
from dockerbuild_lib.core.errors import DockerbuildError
from dockerbuild_lib.core.events import Event
from tasks import ns

PROJECT = Path(__file__).resolve().parents[2]
REFERENCE = PROJECT / "docs" / "reference"
SECTIONS: dict[str, type[BaseModel]] = {"limits": LimitsSection, "archives": ArchivesSection}
PAGES = sorted([PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")])
# What plain invoke and the launcher take before a task.
CORE_OPTIONS = {"--list", "--help", "--version", "--debug"}
COMMON_FLAGS = {("--offline",)}

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_CALL = re.compile(r"(?:\./dockerbuild|\binvoke) (?P<arguments>[^\n`#;|]*)")


def sections(page: Path) -> dict[str, str]:
    """Return heading -> text up to the next heading of any level."""
    parts = re.split(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """Return the cells of a text's tables, without the heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {index - 1 for index, row in enumerate(cells) if set(row[0]) == {"-"}}
    return [row for index, row in enumerate(cells) if index not in heads and index - 1 not in heads]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def contexts() -> dict[str, ParserContext]:
    return {str(context.name): context for context in ns.to_contexts()}


def own_flags_of(context: ParserContext) -> set[tuple[str, ...]]:
    """Return the flags of a task's options, those left out that every task has."""
    return {flags for flags in flags_of(context) if flags not in COMMON_FLAGS}


def flags_of(context: ParserContext) -> set[tuple[str, ...]]:
    """Return the flags of each option of a task: the long one first."""
    options = {id(argument): argument for argument in context.args.values()}.values()
    return {tuple(("--" if len(n) > 1 else "-") + n.replace("_", "-") for n in option.names) for option in options}


def test_every_task_is_documented_and_no_other() -> None:
    assert set(sections(REFERENCE / "tasks.md")) - {"Tasks and options", "Every task"} == set(contexts())


@pytest.mark.parametrize("task", sorted(contexts()))
def test_every_option_of_a_task_is_documented_and_no_other(task: str) -> None:
    documented = [tuple(code(row[0])) for row in rows(sections(REFERENCE / "tasks.md")[task])]
    assert sorted(documented) == sorted(own_flags_of(contexts()[task]))


def test_options_of_every_task_are_documented_once() -> None:
    documented = {tuple(code(row[0])) for row in rows(sections(REFERENCE / "tasks.md")["Every task"])}
    assert documented == COMMON_FLAGS == set.intersection(*map(flags_of, contexts().values()))


def settings(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name in model.model_fields:
        if name in SECTIONS:
            yield from settings(SECTIONS[name], (name,))
        else:
            yield (*above, name)


def test_every_setting_is_documented_with_its_variable_and_no_other() -> None:
    table = rows(sections(REFERENCE / "settings.md")["Settings"])
    expected = {".".join(way): PREFIX + "_".join(way).upper() for way in settings(DockerbuildSection)}
    assert {code(row[0])[0]: code(row[1])[0] for row in table} == expected


def test_the_documented_defaults_of_settings_are_those_of_the_models() -> None:
    documented = {code(row[0])[0]: row[2] for row in rows(sections(REFERENCE / "settings.md")["Settings"])}
    models: dict[str, type[BaseModel]] = {"": DockerbuildSection, **SECTIONS}
    for section, model in models.items():
        for name, setting in model.model_fields.items():
            if setting.default is not None:
                default = str(setting.default)
                shown = default.lower() if setting.annotation is bool else default
                assert documented[f"{section}.{name}".lstrip(".")] == f"`{shown}`"


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("A wheel built from source", SourceWheel),
        ("A pure wheel", PureWheel),
        ("A universal wheel", UniversalWheel),
        ("A prebuilt wheel", PrebuiltWheel),
        ("A version", VersionRecipe),
        ("A platform with an image", Platform),
        ("Macs", MacPlatform),
        ("Windows machines", WindowsPlatform),
        ("pythons.yaml", Python),
        ("toolchains.yaml", Toolchain),
        ("images.yaml", ImageRecipe),
        ("libraries.yaml", Library),
        ("The package index's sdist", SdistSource),
        ("An archive", ArchiveSource),
        ("A git commit", GitSource),
        ("A local folder", LocalSource),
        ("A Debian source package", DebianSource),
    ],
)
def test_every_key_of_the_catalogue_is_documented_and_no_other(heading: str, model: type[BaseModel]) -> None:
    table = rows(sections(REFERENCE / "catalogue.md")[heading])
    documented = {code(row[0])[0]: row[0].endswith("*") for row in table}
    assert len(documented) == len(table)
    assert documented == {str(key.alias): key.is_required() for key in model.model_fields.values()}


def error_classes() -> list[type[DockerbuildError]]:
    return [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, DockerbuildError)]


def test_every_error_is_documented_with_its_code_and_whether_it_is_transient() -> None:
    table = rows(sections(REFERENCE / "exit-codes.md")["Exit codes"])
    documented = {code(row[1])[0]: (int(row[0]), row[2] == "yes") for row in table}
    assert len(documented) == len(table)
    assert documented == {error.__name__: (error.exit_code, error.transient) for error in error_classes()}


def test_exit_codes_are_unique() -> None:
    codes = [error.exit_code for error in error_classes()]
    assert len(codes) == len(set(codes))


def test_every_event_is_documented_with_its_fields_and_no_other() -> None:
    documented = sections(REFERENCE / "events.md")
    kinds: dict[str, Any] = {kind.__name__: kind for kind in get_args(Event)}
    assert set(documented) - {"events.jsonl"} == set(kinds)
    for name, kind in kinds.items():
        assert [code(row[0])[0] for row in rows(documented[name])] == list(kind.__dataclass_fields__)


def page_id(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


def links(page: Path) -> list[str]:
    return [link["target"] for link in _LINK.finditer(page.read_text()) if "://" not in link["target"]]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the usual renderers make them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in sections(page)}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if not link.startswith("#")}
        waiting += [target for target in found - reached if target.suffix == ".md"]
    assert set(PAGES) - reached == {PROJECT / "CHANGELOG.md"}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_name_tasks_and_options_that_there_are(page: Path) -> None:
    for call in _CALL.finditer(page.read_text()):
        task, _, _command = call["arguments"].partition(" -- ")
        words = [word for word in task.split() if word not in CORE_OPTIONS]
        if not words or re.fullmatch(r"[a-z]+(\.[a-z]+)?", words[0]) is None or not call[0].startswith("./"):
            continue
        context = contexts()[words[0]]
        used = {word.partition("=")[0] for word in words if word.startswith("-")}
        known = {flag for flags in flags_of(context) for flag in flags}
        assert used <= known, call[0]
