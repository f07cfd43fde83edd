"""Images from one real registry to another, as the client does it; and what it does when something is wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dockerbuild_lib.containers.oci.connection import RegistryConnection
from dockerbuild_lib.containers.oci.image_copy import ImageCopy, SharedBlobs, Survey
from dockerbuild_lib.containers.oci.repository import Repository
from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import AccessRefusedError, HashMismatchError, NetworkError, NoSpaceError, OfflineError
from dockerbuild_lib.core.events import silent
from dockerbuild_lib.core.http import RefusedError
from dockerbuild_lib.core.retries import RetryPolicy
from tests.support.registries import Registry, running_registry
from tests.support.small_images import Uploader, layer
from tests.support.store_server import CuttingProxy

QUICK = RetryPolicy(attempts=3, first_wait=0.01, longest_wait=0.1)
MB = 1_000_000


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running_registry(tmp_path_factory.mktemp("upstream") / "registry") as registry:
        yield registry


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running_registry(tmp_path_factory.mktemp("mirror") / "registry") as registry:
        yield registry


def uploader(registry: Registry, repository: str) -> Uploader:
    return Uploader(registry.url, repository, registry.verify)


def repository(at: Registry | str, name: str, **environ: str) -> Repository:
    address = at if isinstance(at, str) else at.address
    return Repository(RegistryConnection(address.removeprefix("http://"), environ), name, QUICK)


def put_list(registry: Registry, name: str, seed: int) -> str:
    """Put a list of two platforms' images that share a layer; return its digest."""
    up = uploader(registry, name)
    images = [up.image([layer(seed), layer(seed + n)], architecture=a) for n, a in ((1, "amd64"), (2, "arm64"))]
    return str(up.index(images, "v1")["digest"])


def copied(source: Repository, target: Repository, digest: str, shared: SharedBlobs | None = None) -> Survey:
    copy = ImageCopy(source, target, shared or SharedBlobs())
    survey = copy.survey(digest, "kept")
    copy.copy(survey, silent)
    assert copy.survey(digest, "kept").is_complete
    return survey


def test_a_manifest_list_is_copied_whole_and_by_digest_and_the_second_time_nothing(
    upstream: Registry, mirror: Registry
) -> None:
    digest = put_list(upstream, "team/list", 10)
    source, target = repository(upstream, "team/list"), repository(mirror, "copies/list")
    assert source.digest_of("v1") == digest
    survey = copied(source, target, digest)
    assert len(survey.manifests) == 3
    assert len(survey.missing) == len(survey.blobs) == 5  # two configurations, and three layers
    assert mirror.tags("copies/list") == ["kept"]
    assert target.digest_of("kept") == digest
    assert {target.manifest(m.digest).content for m in survey.manifests} == {m.content for m in survey.manifests}
    assert all(
        mirror.blob_file(blob.digest).read_bytes() == upstream.blob_file(blob.digest).read_bytes()
        for blob in survey.blobs
    )
    assert copied(source, target, digest).missing == ()


def test_what_was_begun_is_completed(upstream: Registry, mirror: Registry) -> None:
    digest = put_list(upstream, "begun", 20)
    source, target = repository(upstream, "begun"), repository(mirror, "begun")
    first = ImageCopy(source, target).survey(digest, "kept")
    uploader(mirror, "begun").blob(upstream.blob_file(first.blobs[1].digest).read_bytes())
    assert len(copied(source, target, digest).missing) == len(first.blobs) - 1


def test_a_layer_that_another_repository_of_the_registry_has_is_not_sent_again(
    upstream: Registry, mirror: Registry
) -> None:
    shared, digests = SharedBlobs(), {}
    for name in ("one", "two"):
        digests[name] = str(uploader(upstream, name).image([layer(30, MB)], "v1")["digest"])
        with CuttingProxy(lambda: int(mirror.address.partition(":")[2]), after=1 << 40).running() as counter:
            copied(repository(upstream, name), repository(counter.url, name), digests[name], shared)
        assert (counter.sent > MB) is (name == "one")


def test_images_move_inside_of_one_registry_too(upstream: Registry) -> None:
    digest = str(uploader(upstream, "from").image([layer(40)], "v1")["digest"])
    copied(repository(upstream, "from"), repository(upstream, "to"), digest)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_registry_that_asks_for_a_password_is_given_the_user_s(
    upstream: Registry, tmp_path: Path, *, tls: bool
) -> None:
    digest = str(uploader(upstream, "secret").image([layer(50)], "v1")["digest"])
    source = repository(upstream, "secret")
    with running_registry(tmp_path / "registry", password=True, tls=tls) as registry:
        home = {"HOME": str(tmp_path)}
        if registry.certificate:
            known = tmp_path / ".config/docker/certs.d" / registry.address
            known.mkdir(parents=True)
            (known / "ca.crt").write_bytes(registry.certificate.read_bytes())
        for wrong in ({}, registry.credentials(tmp_path / "wrong", "wrong")):
            with pytest.raises(AccessRefusedError, match=f"docker login {registry.address}"):
                copied(source, repository(registry, "secret", **home, **wrong), digest)
        copied(source, repository(registry, "secret", **home, **registry.credentials(tmp_path / "right")), digest)
        assert registry.tags("secret") == ["kept"]


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with (
        running_registry(tmp_path / "registry", tls=True) as registry,
        pytest.raises(RefusedError, match=r"certificate does not verify; put its CA into /etc/docker/certs\.d/127"),
    ):
        repository(registry, "any", HOME=str(tmp_path)).has_manifest("v1")


def test_bytes_with_another_digest_are_refused_and_not_kept(upstream: Registry, mirror: Registry) -> None:
    digest = str(uploader(upstream, "forged").image([layer(60)], "v1")["digest"])
    source, target = repository(upstream, "forged"), repository(mirror, "forged")
    blob = ImageCopy(source, target).survey(digest, "kept").blobs[1]
    file = upstream.blob_file(blob.digest)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(HashMismatchError, match=f"sent other bytes than those of {blob.digest}"):
        copied(source, target, digest)
    assert not target.has_blob(blob.digest)
    assert mirror.tags("forged") == []

    file.write_bytes(content)
    copied(source, target, digest)


def test_a_manifest_with_another_digest_is_refused(upstream: Registry, mirror: Registry) -> None:
    digest = str(uploader(upstream, "forged-manifest").image([layer(61)], "v1")["digest"])
    file = upstream.blob_file(digest)
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises((HashMismatchError, NetworkError)):  # this registry notices by itself
        copied(repository(upstream, "forged-manifest"), repository(mirror, "forged-manifest"), digest)
    assert mirror.tags("forged-manifest") == []


@pytest.mark.parametrize("answers", [True, False], ids=["while it is read", "while it is sent"])
def test_a_connection_that_is_reset_in_the_middle_of_a_layer_is_made_anew(
    upstream: Registry, mirror: Registry, *, answers: bool
) -> None:
    name = f"reset-{answers}".lower()
    digest = str(uploader(upstream, name).image([layer(70, 4 * MB)], "v1")["digest"])
    cut = upstream if answers else mirror
    with CuttingProxy(lambda: int(cut.address.partition(":")[2]), after=2 * MB, answers=answers).running() as proxy:
        source = repository(proxy.url if answers else upstream, name)
        copied(source, repository(mirror if answers else proxy.url, name), digest)
    assert proxy.was_cut
    if answers:
        assert proxy.sent < 5 * MB  # the second connection brought the rest only
    copied(source if not answers else repository(upstream, name), repository(mirror, name), digest)


def test_a_full_disk_is_said_to_be_full(upstream: Registry, tmp_path: Path) -> None:
    digest = str(uploader(upstream, "large").image([layer(80, 9 * MB)], "v1")["digest"])
    with (
        running_registry(tmp_path / "registry", disk="6m") as registry,
        pytest.raises(NoSpaceError, match="the registry has no space left"),
    ):
        copied(repository(upstream, "large"), repository(registry, "large"), digest)


def test_a_registry_that_is_down_is_an_error_of_the_network(upstream: Registry, tmp_path: Path) -> None:
    digest = str(uploader(upstream, "down").image([layer(90)], "v1")["digest"])
    with ExitStack() as stack:
        registry = stack.enter_context(running_registry(tmp_path / "registry"))
        target = repository(registry, "down")
        survey = ImageCopy(repository(upstream, "down"), target).survey(digest, "kept")
        stack.close()
        with pytest.raises(NetworkError, match="refuses the connection"):
            ImageCopy(repository(upstream, "down"), target).copy(survey, silent)


def test_nothing_is_asked_where_connections_are_forbidden(upstream: Registry) -> None:
    with CONNECTIONS.judged_by(lambda: "--offline"), pytest.raises(OfflineError, match=upstream.address):
        repository(upstream, "any").digest_of("v1")
