"""Settings: invoke.yaml, overridden by variables."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from invoke.config import Config

from dockerbuild_lib.catalog.problems import Problems
from dockerbuild_lib.catalog.settings import ArchiveLimits, Limits, Settings, load_settings
from dockerbuild_lib.catalog.settings_environment import PREFIX, section_of
from dockerbuild_lib.catalog.settings_file import (
    INVOKE_KEYS,
    ArchivesSection,
    DockerbuildSection,
    InvokeFile,
    LimitsSection,
    bytes_of,
)
from dockerbuild_lib.catalog.work_area import probable_work_area
from dockerbuild_lib.core.errors import CatalogError

PROJECT = Path(__file__).parents[2]
_GIB = 1 << 30


def _with(folder: Path, text: str) -> Path:
    (folder / "invoke.yaml").write_text(text, encoding="utf-8")
    return folder


def _said(project: Path, **variables: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load_settings(project, {f"INVOKE_DOCKERBUILD_{name}": value for name, value in variables.items()})
    return str(caught.value).replace(f"{project}/", "").split("\n")


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "dockerbuild:\n", "dockerbuild: {}", "run: {echo: true}\n"])
def test_without_settings_the_defaults_hold(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        _with(tmp_path, text)
    assert load_settings(tmp_path, {}) == Settings(
        project_dir=tmp_path,
        root=tmp_path / ".dockerbuild",
        config_dir=tmp_path / "config",
        store=tmp_path / ".dockerbuild" / "store",
        service=None,
        cipd_client="cipd",
        remote_store=None,
        registry=None,
        downloads=8,
        cooldown_days=0,
        offline=False,
        jobs=len(os.sched_getaffinity(0)),
        executor="threads",
        limits=Limits(memory=4 * _GIB, processes=4096, minutes=120),
        archives=ArchiveLimits(size=8 * _GIB, ratio=200, members=200_000),
    )


@pytest.mark.parametrize(
    "address", ["https://cipd.example", "https://cipd.example/", "http://127.0.0.1:8321", "http://[::1]:8321"]
)
def test_a_store_may_be_a_service(address: str, tmp_path: Path) -> None:
    found = load_settings(_with(tmp_path, f"dockerbuild: {{store: '{address}', cipd_client: bin/cipd}}"), {})
    assert found.service == address.rstrip("/")
    assert found.store == tmp_path / ".dockerbuild" / "store"
    assert found.cipd_client == str(tmp_path / "bin/cipd")


@pytest.mark.parametrize(
    "address",
    [
        "ftp://cipd.example",
        "https://",
        "https://cipd.example/path",
        "https://me:secret@cipd.example",
        "https://a b",
        "://x",
    ],
)
def test_other_addresses_are_no_store(address: str, tmp_path: Path) -> None:
    (problem,) = _said(_with(tmp_path, f"dockerbuild: {{store: '{address}'}}"))
    assert problem.startswith("invoke.yaml:1:22: ")
    assert "write https://HOST" in problem


def test_every_setting_is_taken_from_the_file(tmp_path: Path) -> None:
    text = (
        "dockerbuild:\n  root: area\n  config_dir: /etc/wheels\n  store: ../store\n  registry: registry.example:5000/w"
        "\n  jobs: 3\n  downloads: 5\n  offline: true\n  cooldown_days: 7\n  executor: threads"
        "\n  limits: {memory: 512m, processes: 7, minutes: 5}\n"
        "  archives: {size: 1t, ratio: 9, members: 8}\n"
    )
    found = load_settings(_with(tmp_path, text), {})
    assert (found.root, found.config_dir, found.store) == (
        tmp_path / "area",
        Path("/etc/wheels"),
        tmp_path / "../store",
    )
    assert (found.registry, found.jobs, found.downloads, found.offline) == ("registry.example:5000/w", 3, 5, True)
    assert found.cooldown_days == 7
    assert found.limits == Limits(memory=512 << 20, processes=7, minutes=5)
    assert found.archives == ArchiveLimits(size=1 << 40, ratio=9, members=8)


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    text = "dockerbuild: {root: area, jobs: 3, limits: {processes: 7, minutes: 5}, archives: {ratio: 7}}"
    project = _with(tmp_path, text)
    variables = {
        "ROOT": "/elsewhere",
        "JOBS": "4",
        "DOWNLOADS": "6",
        "LIMITS_MINUTES": "6",
        "LIMITS_MEMORY": "1G",
        "ARCHIVES_MEMBERS": "6",
        "CONFIG_DIR": "c",
    }
    found = load_settings(project, {f"INVOKE_DOCKERBUILD_{name}": value for name, value in variables.items()})
    assert (found.root, found.store) == (Path("/elsewhere"), Path("/elsewhere/store"))
    assert (found.config_dir, found.jobs, found.downloads) == (tmp_path / "c", 4, 6)
    assert found.limits == Limits(memory=_GIB, processes=7, minutes=6)
    assert found.archives == ArchiveLimits(size=8 * _GIB, ratio=7, members=6)


@pytest.mark.parametrize(
    ("text", "place"),
    [("team", "{project}/team"), ("/mnt/team", "/mnt/team"), ("~/team", "/u/x/team"), ("https://c.example", None)],
)
def test_a_remote_store_is_a_path_or_an_address_as_it_was_written(tmp_path: Path, text: str, place: str | None) -> None:
    project = _with(tmp_path, f"dockerbuild: {{remote_store: '{text}'}}")
    found = load_settings(project, {"HOME": "/u/x"})
    assert found.remote_store == (place or text).replace("{project}", str(tmp_path))


def test_the_store_stays_when_the_root_moves(tmp_path: Path) -> None:
    found = load_settings(_with(tmp_path, "dockerbuild: {store: s}"), {"INVOKE_DOCKERBUILD_ROOT": "/elsewhere"})
    assert found.store == tmp_path / "s"


def test_a_tilde_is_the_users_home(tmp_path: Path) -> None:
    project = _with(tmp_path, "dockerbuild: {root: ~/area, store: '~', config_dir: ~other}")
    found = load_settings(project, {"HOME": "/u/me"})
    assert (found.root, found.store, found.config_dir) == (Path("/u/me/area"), Path("/u/me"), tmp_path / "~other")
    assert load_settings(project, {}).root == tmp_path / "~" / "area"


@pytest.mark.parametrize("variables", [{}, {"HOME": "/u/me"}, {PREFIX + "ROOT": "~/other", "HOME": "/u/me"}])
@pytest.mark.parametrize(
    "text",
    [None, "", "dockerbuild: {}", "dockerbuild: {jobs: 2}", "dockerbuild: {root: ~/area}", "dockerbuild: {root: /a}"],
)
def test_the_work_area_is_found_without_the_models(tmp_path: Path, text: str | None, variables: dict[str, str]) -> None:
    if text is not None:
        _with(tmp_path, text)
    assert probable_work_area(tmp_path, variables) == load_settings(tmp_path, variables).root


@pytest.mark.parametrize("text", ["a: [", "\xff", "[]", "dockerbuild: {root: 3}", "dockerbuild: {root: [a]}"])
def test_settings_that_are_wrong_may_name_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "invoke.yaml").write_bytes(text.encode("latin-1"))
    assert probable_work_area(tmp_path, {}) in {None, tmp_path / ".dockerbuild"}


def test_relative_projects_give_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(Path(), {}).root == tmp_path / ".dockerbuild"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dockerbuild:\n  rot: a\n", "2:3: unknown key 'rot'; did you mean 'root'?"),
        ("dockerbuild:\n  config-dir: a\n", "2:3: unknown key 'config-dir'; did you mean 'config_dir'?"),
        ("dockerbuild: {limits: {memry: 4g}}", "1:24: unknown key 'memry'; did you mean 'memory'?"),
        ("dockerbiuld: {}", "1:1: unknown key 'dockerbiuld'; did you mean 'dockerbuild'?"),
        ("task: {}", "1:1: unknown key 'task'; did you mean 'tasks'?"),
        ("dockerbuild: {root: 3}", "1:21: 3 is read as a number; quote it"),
        ("dockerbuild: {root: [a]}", "1:21: a list stands here, where a text belongs; write one text"),
        ("dockerbuild: {root: ''}", "1:21: an empty text stands here; write one"),
        ("dockerbuild:\n  root:\n", "2:3: no value is given, where a text belongs; write one"),
        ("dockerbuild: {jobs: 0}", "1:21: '0' is less than 1; write 1 or more"),
        ("dockerbuild: {jobs: 5000}", "1:21: '5000' is more than 1024; write 1024 or less"),
        ("dockerbuild: {downloads: 65}", "1:26: '65' is more than 64; write 64 or less"),
        ("dockerbuild: {jobs: many}", "1:21: 'many' is no whole number; write a number"),
        ("dockerbuild: {jobs: '2'}", "1:21: '2' is a text, where a whole number belongs; remove the quotes"),
        ("dockerbuild: {executor: dask}", "1:25: 'dask' is none of: threads; write one of them"),
        (
            "dockerbuild: {registry: 'https://x'}",
            "1:25: 'https://x' is not a registry such as registry.example:5000/wheels",
        ),
        (
            "dockerbuild: {limits: 4g}",
            "1:23: a single value stands here, where a mapping belongs; write 'key: value' lines",
        ),
        ("dockerbuild: {limits: {memory: 4}}", "1:32: 4 is read as a number; quote it"),
        ("dockerbuild: {limits: {memory: 4 GB}}", "1:32: '4 GB' is not an amount of memory such as 512m or 4g"),
        ("dockerbuild: {limits: {memory: 1k}}", "1:32: '1k' is less memory than an engine gives; write 6m or more"),
        ("dockerbuild: {archives: {size: 10k}}", "1:32: '10k' is not a size such as 512m or 8g"),
        ("dockerbuild: {archives: {ratio: 0}}", "1:33: '0' is less than 1; write 1 or more"),
        ("dockerbuild: [root]", "1:14: a list stands here, where a mapping belongs; write 'key: value' lines"),
        ("dockerbuild: {}\ndockerbuild: {}", "2:1: duplicate key 'dockerbuild'; it is already on line 1; keep one"),
        ("run: {}\nrun: {}", "2:1: duplicate key 'run'; it is already on line 1; keep one"),
        ("a: b: c", "1:5: a ':' stands where none may be; quote a text that holds ': '"),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert _said(_with(tmp_path, text)) == [f"invoke.yaml:{said}"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("JOB", "1", "INVOKE_DOCKERBUILD_JOB: unknown setting; did you mean 'INVOKE_DOCKERBUILD_JOBS'?"),
        ("", "1", "INVOKE_DOCKERBUILD_: unknown setting; "),
        ("JOBS", "many", "INVOKE_DOCKERBUILD_JOBS: 'many' is no whole number; write a number"),
        ("JOBS", "", "INVOKE_DOCKERBUILD_JOBS: '' is no whole number; write a number"),
        ("JOBS", "-1", "INVOKE_DOCKERBUILD_JOBS: '-1' is less than 1; write 1 or more"),
        ("JOBS", "9" * 5000, "INVOKE_DOCKERBUILD_JOBS: '9999"),
        ("ROOT", "", "INVOKE_DOCKERBUILD_ROOT: an empty text stands here; write one"),
        ("EXECUTOR", "treads", "INVOKE_DOCKERBUILD_EXECUTOR: 'treads' is none of: threads; did you mean 'threads'?"),
        ("OFFLINE", "yes", "INVOKE_DOCKERBUILD_OFFLINE: this is neither true nor false; write true or false"),
        ("OFFLINE", "", "INVOKE_DOCKERBUILD_OFFLINE: this is neither true nor false; write true or false"),
        ("LIMITS_MEMORY", "4", "INVOKE_DOCKERBUILD_LIMITS_MEMORY: '4' is not an amount of memory such as 512m or 4g"),
        ("LIMITS_MINUTES", "1.5", "INVOKE_DOCKERBUILD_LIMITS_MINUTES: '1.5' is no whole number; write a number"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path, variable: str, value: str, said: str) -> None:
    (line,) = _said(tmp_path, **{variable: value})
    assert line.startswith(said)


def test_a_text_that_looks_like_a_number_is_a_path_all_the_same(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"INVOKE_DOCKERBUILD_ROOT": "3"}).root == tmp_path / "3"


@pytest.mark.parametrize(("text", "offline"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_variable_answers_a_question(tmp_path: Path, text: str, *, offline: bool) -> None:
    project = _with(tmp_path, f"dockerbuild: {{offline: {str(not offline).lower()}}}")
    assert load_settings(project, {"INVOKE_DOCKERBUILD_OFFLINE": text}).offline is offline


def test_the_mistakes_of_file_and_variables_come_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = _with(tmp_path, "dockerbuild: {jobs: 0, root: 1}\nrn: {}\n")
    assert _said(project, JOBS="x", ROOTS="y") == [
        "INVOKE_DOCKERBUILD_JOBS: 'x' is no whole number; write a number",
        "INVOKE_DOCKERBUILD_ROOTS: unknown setting; did you mean 'INVOKE_DOCKERBUILD_ROOT'?",
        "invoke.yaml:1:21: '0' is less than 1; write 1 or more",
        "invoke.yaml:1:30: 1 is read as a number; quote it",
        "invoke.yaml:2:1: unknown key 'rn'; did you mean 'run'?",
    ]


def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "invoke.yaml").mkdir()
    assert _said(tmp_path) == ["invoke.yaml: cannot be read: Is a directory"]


def test_other_variables_are_nobodys_business(tmp_path: Path) -> None:
    environ = {"INVOKE_RUN_ECHO": "1", "DOCKER_HOST": "x", "INVOKE_DOCKERBUILDER": "y"}
    assert load_settings(tmp_path, environ) == load_settings(tmp_path, {})


def test_the_keys_left_to_invoke_are_those_that_invoke_has() -> None:
    assert Config.global_defaults().keys() == INVOKE_KEYS
    assert InvokeFile.model_fields.keys() == INVOKE_KEYS | {"dockerbuild"}


def test_what_is_invokes_is_left_to_invoke(tmp_path: Path) -> None:
    text = "run: &r {echo: yes, when: 2024-01-01, 3: 4}\nsudo: *r\ntasks: !x 1\ndockerbuild: {jobs: 2}\n"
    assert load_settings(_with(tmp_path, text), {}).jobs == 2


@given(st.dictionaries(st.sampled_from(["ROOT", "JOBS", "REGISTRY", "LIMITS_MEMORY", "LIMITS", "X"]), st.text()))
@settings(deadline=None)
def test_any_variables_become_settings_or_problems(variables: dict[str, str]) -> None:
    problems = Problems()
    section = section_of({PREFIX + name: value for name, value in variables.items()}, problems)
    assert isinstance(section, DockerbuildSection)
    taken = section.model_fields_set | (section.limits.model_fields_set if section.limits else set())
    assert len(problems) or {name.lower().removeprefix("limits_") for name in variables} <= taken


@pytest.mark.parametrize(("amount", "size"), [("6m", 6 << 20), ("10240K", 10 << 20), ("2G", 2 * _GIB)])
def test_memory_is_counted_in_powers_of_1024(amount: str, size: int) -> None:
    assert bytes_of(amount) == size


def test_the_projects_file_documents_each_setting_with_its_default(tmp_path: Path) -> None:
    text = (PROJECT / "invoke.yaml").read_text(encoding="utf-8")
    assert load_settings(tmp_path, {}) == load_settings(_with(tmp_path, text), {})
    shown = yaml.safe_load(re.sub(r"^( *)# (?=(\w+):( \S+)?$)", r"\1", text, flags=re.MULTILINE))["dockerbuild"]
    assert shown.keys() == DockerbuildSection.model_fields.keys()
    assert shown["limits"].keys() == LimitsSection.model_fields.keys()
    assert shown["archives"].keys() == ArchivesSection.model_fields.keys()
    section = DockerbuildSection.model_validate(shown)
    assert (section.limits, section.archives) == (LimitsSection(), ArchivesSection())
    for name in ("root", "config_dir", "executor", "registry", "downloads", "offline", "cooldown_days"):
        assert getattr(section, name) == DockerbuildSection.model_fields[name].default
    assert section.store == f"{section.root}/store"
