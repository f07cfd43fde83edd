"""sources.lock takes no release that is too young or yanked, unless told to: with the real uv, and by the task."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dockerbuild_lib.catalog.load import load_catalog
from dockerbuild_lib.catalog.locks import Locks
from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.cooldown import Cooldown
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.outside import Origins
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex
from tests.support.catalogs import write_catalog
from tests.support.forged_wheels import Forge
from tests.support.locking import lock as lock_with
from tests.support.package_index import Facts, telling_index
from tests.support.projects import Project
from tests.support.sdists import write_sdist

NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
WEEK = Cooldown(7, NOW)
UNIVERSAL = 'native: {kind: universal, versions: {"1.0": {}}}\n'
PREBUILT = 'native: {kind: prebuilt, trial: import native, platforms: [linux-amd64], versions: {"1.0": {}}}\n'
BUILT = 'native: {trial: import native, versions: {"1.0": {}}}\n'


def days_old(days: float) -> Facts:
    return {"upload-time": (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")}


OLD, YOUNG = days_old(8), days_old(6)
UNTOLD: Facts = {}
YANKED: Facts = {"yanked": "it eats files"}


def wheel(folder: Path, name: str, version: str, tag: str = "py3-none-any") -> Path:
    return Forge(name=name, version=version, tag=tag, purelib=True).write(folder)


def sdist(folder: Path, requires: str = "backend") -> Path:
    return write_sdist(folder, "native", "1.0", f"[build-system]\nrequires = ['{requires}']\n")


def locked(folder: Path, recipe: str, files: Mapping[Path, Facts], cooldown: Cooldown | None = None) -> list[str]:
    """Lock one recipe, and return the names of the files that its lock pins: the source first."""
    config = write_catalog(folder, wheels__native=recipe)
    with telling_index(files) as server:
        index = PackageIndex(IndexConfiguration((f"{server.url}/simple",)), Downloader(HttpSettings()))
        origins = Origins(index=index)
        lock_with(load_catalog(config), origins, "native", cooldown=cooldown)
    lock = load_catalog(config).locks.wheels["native"].versions["1.0"]
    files_of_platforms = [pins["3.11"] for pins in lock.prebuilt.values()]
    source = [lock.source] if lock.source else []
    return [file.filename for file in (*source, *files_of_platforms, *lock.build_requires.get("3.11", ()))]


def refused(folder: Path, recipe: str, files: Mapping[Path, Facts], cooldown: Cooldown | None = None) -> str:
    """See that the recipe cannot be locked and nothing of it is, and return what is said."""
    with pytest.raises(LockError) as caught:
        locked(folder, recipe, files, cooldown)
    assert load_catalog(folder / "config").locks == Locks()
    return str(caught.value)


@pytest.fixture(autouse=True)
def _own_uv_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))


def test_a_universal_wheel_that_is_too_young_is_refused_with_its_age(tmp_path: Path) -> None:
    file = wheel(tmp_path, "native", "1.0")
    said = refused(tmp_path, UNIVERSAL, {file: YOUNG}, WEEK)
    assert "native-1.0-py3-none-any.whl: it was uploaded 6 days ago, and cooldown_days asks for 7" in said
    assert "--cooldown=6" in said
    assert locked(tmp_path, UNIVERSAL, {file: OLD}, WEEK) == [file.name]


def test_an_sdist_that_is_too_young_is_refused_with_its_age(tmp_path: Path) -> None:
    files = {sdist(tmp_path): YOUNG, wheel(tmp_path, "backend", "1.0"): OLD}
    assert "native-1.0.tar.gz: it was uploaded 6 days ago" in refused(tmp_path, BUILT, files, WEEK)


def test_of_build_requirements_older_ones_are_taken(tmp_path: Path) -> None:
    source, first, second = sdist(tmp_path), wheel(tmp_path, "backend", "1.0"), wheel(tmp_path, "backend", "2.0")
    files = {source: OLD, first: OLD, second: YOUNG}
    assert locked(tmp_path, BUILT, files, WEEK) == [source.name, first.name]
    assert locked(tmp_path / "now", BUILT, files) == [source.name, second.name]


def test_of_one_release_only_files_that_are_old_enough_are_taken(tmp_path: Path) -> None:
    source, any_python = sdist(tmp_path), wheel(tmp_path, "backend", "1.0")
    better = wheel(tmp_path, "backend", "1.0", "cp311-none-any")
    files = {source: OLD, any_python: OLD, better: YOUNG}
    assert locked(tmp_path, BUILT, files, WEEK) == [source.name, any_python.name]
    assert locked(tmp_path / "now", BUILT, files) == [source.name, better.name]


def test_a_build_requirement_for_which_all_are_too_young_is_refused_naming_the_setting(tmp_path: Path) -> None:
    files = {sdist(tmp_path, "backend==2.0"): OLD, wheel(tmp_path, "backend", "2.0"): YOUNG}
    said = refused(tmp_path, BUILT, files, WEEK)
    assert "requirements backend==2.0 for Python 3.11: " in said
    assert "cooldown_days excludes younger releases" in said


@pytest.mark.parametrize("recipe", [UNIVERSAL, BUILT])
def test_an_index_that_does_not_tell_ages_is_refused(tmp_path: Path, recipe: str) -> None:
    files = {sdist(tmp_path): UNTOLD, wheel(tmp_path, "native", "1.0"): UNTOLD, wheel(tmp_path, "backend", "1.0"): OLD}
    said = refused(tmp_path, recipe, files, WEEK)
    assert "the package index does not tell when it was uploaded (PEP 700), which cooldown_days must know" in said
    assert locked(tmp_path, recipe, files) != []


def test_an_index_that_does_not_tell_the_ages_of_build_requirements_is_refused(tmp_path: Path) -> None:
    files = {sdist(tmp_path): OLD, wheel(tmp_path, "backend", "1.0"): UNTOLD}
    said = refused(tmp_path, BUILT, files, WEEK)
    assert "backend-1.0-py3-none-any.whl: the package index does not tell when it was uploaded" in said


@pytest.mark.parametrize("reason", ["it eats files", "", True])
def test_a_yanked_release_is_refused_unless_the_recipe_says_why(tmp_path: Path, reason: object) -> None:
    file = wheel(tmp_path, "native", "1.0")
    said = refused(tmp_path, UNIVERSAL, {file: {"yanked": reason}})
    assert "native-1.0-py3-none-any.whl: its authors took it back (yanked)" in said
    assert ("it eats files" in said) is (reason == "it eats files")
    allowed = UNIVERSAL.replace("{}", "{yanked: we delete none}")
    assert locked(tmp_path, allowed, {file: {"yanked": reason}}) == [file.name]


def test_a_yanked_sdist_is_refused_unless_the_recipe_says_why(tmp_path: Path) -> None:
    source, backend = sdist(tmp_path), wheel(tmp_path, "backend", "1.0")
    assert "native-1.0.tar.gz: its authors took it back" in refused(tmp_path, BUILT, {source: YANKED, backend: {}})
    allowed = BUILT.replace("{}", "{yanked: we delete none}")
    assert locked(tmp_path, allowed, {source: YANKED, backend: {}}) == [source.name, backend.name]


@pytest.mark.parametrize("facts", [YOUNG, {**OLD, **YANKED}])
def test_a_prebuilt_wheel_is_judged_like_the_others(tmp_path: Path, facts: Facts) -> None:
    file = wheel(tmp_path, "native", "1.0", "cp311-cp311-linux_x86_64")
    assert f"{file.name}: " in refused(tmp_path, PREBUILT, {file: facts}, WEEK)
    allowed = PREBUILT.replace("{}", "{yanked: we delete none}")
    assert locked(tmp_path, allowed, {file: {**facts, **OLD}}, WEEK) == [file.name]


def test_of_build_requirements_yanked_ones_are_left_out(tmp_path: Path) -> None:
    source, first, second = sdist(tmp_path), wheel(tmp_path, "backend", "1.0"), wheel(tmp_path, "backend", "2.0")
    assert locked(tmp_path, BUILT, {source: {}, first: {}, second: YANKED}) == [source.name, first.name]


def test_a_yanked_build_requirement_is_taken_only_where_the_recipe_itself_names_it(tmp_path: Path) -> None:
    source, backend = sdist(tmp_path, "backend==2.0"), wheel(tmp_path, "backend", "2.0")
    said = refused(tmp_path, BUILT, {source: {}, backend: YANKED})
    assert "backend-2.0-py3-none-any.whl: its authors took it back (yanked), and say: it eats files" in said
    assert "name backend==2.0 in the catalogue yourself" in said
    named = BUILT.replace("{trial", '{build-requires: {backend: "==2.0"}, trial')
    assert locked(tmp_path, named, {source: {}, backend: YANKED}) == [source.name, backend.name]


@pytest.mark.parametrize(
    ("options", "days", "code"), [((), "7", 8), ((), "0", 0), (("--cooldown=0",), "7", 0), (("--cooldown=7",), "0", 8)]
)
def test_the_task_takes_the_setting_and_its_option_overrides_it(
    tmp_path: Path, options: tuple[str, ...], days: str, code: int
) -> None:
    project = Project.checked_out(tmp_path / "project")
    (project.folder / "config/wheels/native.yaml").write_text(UNIVERSAL)
    with telling_index({wheel(tmp_path, "native", "1.0"): {"upload-time": datetime.now(UTC).isoformat()}}) as server:
        settings = {"PIP_INDEX_URL": f"{server.url}/simple", "PIP_CONFIG_FILE": "/dev/null"}
        settings["INVOKE_DOCKERBUILD_COOLDOWN_DAYS"] = days
        done = project.run("sources.lock", "--name=native", *options, **settings)
    assert done.code == code, done.stderr
    assert ("it was uploaded 0 days ago, and cooldown_days asks for 7" in done.stderr) is (code != 0)
