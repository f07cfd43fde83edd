"""A CIPD service as the store of an installation: what the tasks do with it, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dockerbuild_lib.core.errors import LoginRequiredError
from dockerbuild_lib.store.local import LocalStore
from tests.support.cipd_client import CipdClient, cipd_program
from tests.support.projects import Project
from tests.support.store_samples import PACKAGE, publication
from tests.support.store_server import TOKEN, RunningServer, serving_store, token_file

SIX = "infra/python/wheels/six-py2_py3"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "served").mkdir()
    with serving_store(tmp_path / "served", token=token_file(tmp_path)) as running:
        yield running


@pytest.fixture
def variables(server: RunningServer, tmp_path: Path) -> Mapping[str, str]:
    """What makes the server the store, and its token the client's."""
    (tmp_path / "home").mkdir()
    client = CipdClient(cipd_program(), tmp_path / "home", server.url, TOKEN)
    return {
        **client.environment(),
        "INVOKE_DOCKERBUILD_STORE": server.url,
        "INVOKE_DOCKERBUILD_CIPD_CLIENT": str(client.program),
    }


def test_packages_are_listed_described_fetched_and_verified(
    server: RunningServer, variables: Mapping[str, str], tmp_path: Path
) -> None:
    project = Project.checked_out(tmp_path / "project")
    with LocalStore(server.folder) as behind:
        pin = behind.publish(publication(tmp_path, "3.0.4", "x")).pin
    (row,) = project.succeed("store.list", "--json", **variables).json
    assert row == {"package": PACKAGE, "version": "3.0.4", "instance": pin.instance_id, "refs": "3.0.x 3.x latest"}
    assert "size" not in project.succeed("store.describe", f"--package={PACKAGE}", **variables).stdout
    project.succeed("store.fetch", f"--package={PACKAGE}", f"--output={tmp_path / 'out'}", **variables)
    assert (tmp_path / "out").read_bytes() == (server.folder / "instances" / pin.instance_id).read_bytes()
    assert project.succeed("store.verify", **variables).stdout == f"{server.url}: every package is whole\n"
    for code, message, options, changed in (
        (14, "no such package: other", ("store.describe", "--package=other"), {}),
        (14, "no such tag: version:9", ("store.fetch", f"--package={PACKAGE}", "--version=version:9"), {}),
        (19, "the cipd client is not installed", ("store.list",), {"INVOKE_DOCKERBUILD_CIPD_CLIENT": "no-cipd"}),
        (2, "this task needs a store in a folder", ("store.serve",), {}),
    ):
        done = project.run(*options, **{**variables, **changed})
        assert (done.code, message in done.stderr) == (code, True), done.stderr
    assert not project.store.exists()


def test_a_wheel_is_published_to_the_service_once(
    server: RunningServer, variables: Mapping[str, str], tmp_path: Path
) -> None:
    project = Project.checked_out(tmp_path / "project")
    project.succeed("wheel.build", "--name=six", "--upload", **variables)
    assert "nothing to do" in project.succeed("wheel.build", "--name=six", "--upload", **variables).stdout
    with LocalStore(server.folder) as behind:
        found = behind.describe(SIX, "latest")
    assert {tag.tag.partition(":")[0] for tag in found.tags} >= {"version", "content_key", "recipe_key"}
    nobody = {**variables, "LUCI_AUTH_CREDENTIAL_HELPER": ""}
    refused = project.run("wheel.build", "--name=idna", "--upload", **nobody)
    assert refused.code == LoginRequiredError.exit_code
    assert "cipd auth-login" in refused.stderr
