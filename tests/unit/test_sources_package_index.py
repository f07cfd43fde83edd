"""The machine's pip configuration, and what is asked of its package indexes."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from subprocess import run

import pytest

from dockerbuild_lib.catalog.locks import IndexFile
from dockerbuild_lib.core.errors import HashMismatchError, NetworkError, UsageError
from dockerbuild_lib.core.retries import RetryPolicy
from dockerbuild_lib.sources.download import Downloader, Expected
from dockerbuild_lib.sources.http import HttpSettings, open_session
from dockerbuild_lib.sources.index_page import JSON_TYPE
from dockerbuild_lib.sources.package_index import IndexConfiguration, PackageIndex, read_pip_configuration
from dockerbuild_lib.sources.upstream import download_index_file
from tests.support.local_server import Answer, LocalServer, body, serving, status

CONTENT = b"an sdist"
SHA256 = "ab" * 32


@pytest.fixture(autouse=True)
def _no_pip_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INDEX_URL", "EXTRA_INDEX_URL", "CERT", "PROXY", "TRUSTED_HOST", "NO_INDEX"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def page(*files: tuple[str, str | None]) -> Answer:
    listed = [{"filename": name, "url": f"/f/{name}", "hashes": {"sha256": sha} if sha else {}} for name, sha in files]
    return body(json.dumps({"files": listed}).encode(), content_type=JSON_TYPE)


def open_index(server: LocalServer, *names: str) -> PackageIndex:
    indexes = tuple(f"{server.url}/{name}" for name in names)
    downloader = Downloader(HttpSettings(), policy=RetryPolicy(sleep=lambda _: None))
    return PackageIndex(IndexConfiguration(indexes), downloader)


def test_pips_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://one.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://two.example/simple https://three.example/simple")
    monkeypatch.setenv("PIP_CERT", "/etc/our-ca.pem")
    monkeypatch.setenv("PIP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "one.example two.example:8443")
    found = read_pip_configuration()
    assert found.indexes == tuple(f"https://{name}.example/simple" for name in ("one", "two", "three"))
    assert found.http.ca_bundle == "/etc/our-ca.pem"
    assert dict(found.http.proxies) == {"http": "http://proxy.example:3128", "https": "http://proxy.example:3128"}
    assert found.http.trusted_hosts == ("one.example", "two.example:8443")


def test_pips_file_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert read_pip_configuration().indexes == ("https://file.example/simple",)


def test_pips_default_counts_where_nothing_is_configured() -> None:
    assert read_pip_configuration().indexes[0].startswith("https://")


@pytest.mark.parametrize("content", ["nonsense", "[global]\nindex-url = a\nindex-url = b\n"])
def test_a_broken_pip_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "pip.conf").write_text(content)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    with pytest.raises(UsageError, match="pip's configuration on this machine cannot be read"):
        read_pip_configuration()


def test_an_index_that_pip_must_not_use_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(UsageError, match="no-index"):
        read_pip_configuration()


def test_pip_and_requests_are_imported_late() -> None:
    code = (
        "import sys, dockerbuild_lib.sources.package_index, dockerbuild_lib.sources.upstream\n"
        "sys.exit(any(name.split('.')[0] in ('pip', 'requests', 'urllib3') for name in sys.modules))"
    )
    assert run((sys.executable, "-c", code), check=False).returncode == 0


def test_the_name_in_the_address_is_the_normalised_one() -> None:
    with serving(**{"i/a-b/": page(("a_b-1.tar.gz", None))}) as server:
        assert [file.filename for file in open_index(server, "i").files("A.B")] == ["a_b-1.tar.gz"]


def test_the_first_index_that_knows_a_project_decides_and_is_asked_once() -> None:
    with serving(**{"b/six/": page(("b.tar.gz", None)), "c/six/": page(("c.tar.gz", None))}) as server:
        index = open_index(server, "a", "b", "c")
        assert [index.files("six")[0].filename for _ in range(3)] == ["b.tar.gz"] * 3
    assert server.requests == ["/a/six/", "/b/six/"]


def test_a_project_that_nobody_knows_has_no_files() -> None:
    with serving() as server:
        assert open_index(server, "a", "b").files("six") == ()


def test_an_index_that_fails_is_not_taken_for_one_that_does_not_know() -> None:
    answers = {"a/six/": status(401), "b/six/": page(("b.tar.gz", None))}
    with serving(**answers) as server, pytest.raises(NetworkError, match="401"):
        open_index(server, "a", "b").files("six")


def test_an_index_that_is_no_web_address_is_refused() -> None:
    index = PackageIndex(IndexConfiguration(("file:///srv/simple",)), Downloader(HttpSettings()))
    with pytest.raises(UsageError, match="no http or https address"):
        index.files("six")


def locked(content: bytes = CONTENT) -> IndexFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return IndexFile(distribution="six", version="1", filename="six-1.tar.gz", sha256=sha256, size=len(content))


def test_a_locked_file_is_fetched_from_the_index_that_has_its_hash(tmp_path: Path) -> None:
    answers = {
        "a/six/": page(("six-1.tar.gz", SHA256), ("six-2.tar.gz", locked().sha256)),
        "b/six/": page(("six-1.tar.gz", locked().sha256)),
        "f/six-1.tar.gz": body(CONTENT),
    }
    with serving(**answers) as server:
        download_index_file(open_index(server, "a", "b"), locked(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_an_index_without_hashes_serves_it_too_and_is_checked(tmp_path: Path) -> None:
    answers = {"a/six/": page(("six-1.tar.gz", None)), "f/six-1.tar.gz": body(b"AN SDIST")}
    with serving(**answers) as server, pytest.raises(HashMismatchError):
        download_index_file(open_index(server, "a"), locked(), tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_another_hash_in_the_index_stops_before_any_download(tmp_path: Path) -> None:
    answers = {"a/six/": page(("six-1.tar.gz", SHA256))}
    with serving(**answers) as server, pytest.raises(HashMismatchError, match=SHA256):
        download_index_file(open_index(server, "a"), locked(), tmp_path / "file")
    assert server.requests == ["/a/six/"]


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    answers = {"a/six/": page(("six-2.tar.gz", None))}
    with serving(**answers) as server, pytest.raises(NetworkError, match="does not have it any more"):
        download_index_file(open_index(server, "a"), locked(), tmp_path / "file")


def test_a_trusted_host_is_not_checked_and_others_are() -> None:
    session = open_session(HttpSettings(trusted_hosts=("one.example", "two.example:8443")))
    for url in ("https://one.example/x", "https://one.example:1/x", "https://two.example:8443/x"):
        assert type(session.get_adapter(url)).__name__ == "UncheckedAdapter"
    for url in ("https://two.example/x", "https://one.example.evil/x", "https://other.example/x"):
        assert type(session.get_adapter(url)).__name__ == "HTTPAdapter"


def test_the_proxy_of_pip_wins_over_the_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving() as proxy:
        proxy.answers["http://away.example/file"] = body(CONTENT)
        settings = HttpSettings(proxies=(("http", proxy.url),))
        Downloader(settings).download("http://away.example/file", tmp_path / "file", Expected(None, None))
    assert (tmp_path / "file").read_bytes() == CONTENT
