"""A remote engine, reached over TLS: all that builds and commands need of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.projects import TREE, Project
from tests.support.tls_engine import TlsEngine, engine_with_tls, make_certificates, small_root

IMAGE = "tests/small:1"
PRELUDE = """
import sys
from pathlib import Path, PurePosixPath
from dockerbuild_lib.containers.engine import Engine
from dockerbuild_lib.containers.foreground import ForegroundOptions
from dockerbuild_lib.containers.work_places import SentFolder
from dockerbuild_lib.containers.worker import Limits, WORK, WorkerOptions
from dockerbuild_lib.core.command import Command, WorkPath
engine, folder = Engine("tests"), Path(sys.argv[1])
"""
IMPORT = f"""
engine.import_base(folder / "root.tar", "{IMAGE}", {{"dockerbuild.content-key": "key"}})
sys.exit(engine.find_image("key") is None)
"""
FOREGROUND = f"""
work = SentFolder(folder / "work")
argv = ("sh", "-c", sys.argv[2])
start, user = PurePosixPath("/work"), (1001, 1002)
options = ForegroundOptions("{IMAGE}", argv, {{"PATH": "/bin"}}, work, start, user, 1 << 28, 64)
sys.exit(engine.run_in_foreground(options))
"""
WORKER = f"""
with engine.worker(WorkerOptions("{IMAGE}", Limits(1 << 28, 64, 60))) as worker:
    worker.put({{WorkPath("in/file"): b"text"}})
    worker.run(Command(("sh", "-c", "mkdir out && cat in/file > out/file && echo done"), {{"PATH": "/bin"}}), print)
    print([path.read_text() for path in worker.get(WorkPath("out"), folder)])
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsEngine]:
    folder = tmp_path_factory.mktemp("tls")
    small_root(folder / "root.tar")
    with engine_with_tls(folder / "engine") as engine:
        assert python(engine, folder, IMPORT) == (0, b"")
        yield engine


def python(engine: TlsEngine, folder: Path, script: str, *arguments: str, given: bytes = b"") -> tuple[int, bytes]:
    """Run a script with the engine; return its exit code and output."""
    command = (*engine.through, sys.executable, "-c", PRELUDE + script, str(folder), *arguments)
    environment = {**os.environ, **engine.variables(), "REQUESTS_CA_BUNDLE": str(engine.certificates / "cert.pem")}
    done = subprocess.run(command, cwd=TREE, env=environment, input=given, stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout


def test_input_and_output_travel_byte_for_byte_to_their_ends(engine: TlsEngine, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    data = os.urandom(3 << 20)
    assert python(engine, tmp_path, FOREGROUND, "cat; exit 3", given=data) == (3, data)


def test_a_folder_goes_there_and_comes_back(engine: TlsEngine, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/gone").write_text("here")
    script = "cat gone && rm gone && mkdir new && echo text > new/file; ls -ln | cat >&2"
    assert python(engine, tmp_path, FOREGROUND, script) == (0, b"here")
    assert (tmp_path / "work/new/file").read_text() == "text\n"
    assert not (tmp_path / "work/gone").exists()


def test_a_worker_gets_its_files_runs_and_gives_its_results(engine: TlsEngine, tmp_path: Path) -> None:
    assert python(engine, tmp_path, WORKER) == (0, b"done\n['text']\n")


def test_doctor_names_it_and_is_not_misled_by_another_ca(with_images: Project, engine: TlsEngine) -> None:
    other = {"REQUESTS_CA_BUNDLE": str(engine.certificates / "cert.pem")}
    done = with_images.run("doctor", through=engine.through, **engine.variables(), **other)
    assert done.code == 0, done.stdout + done.stderr
    assert "at tcp://127.0.0.1:2376" in done.stdout
    assert "files: they travel through the engine's API\n" in done.stdout


def test_without_its_certificates_nobody_gets_in(with_images: Project, engine: TlsEngine, tmp_path: Path) -> None:
    wrong = engine.variables(make_certificates(tmp_path / "others"))
    done = with_images.run("doctor", through=engine.through, **wrong)
    assert done.code == 4
    assert "CERTIFICATE_VERIFY_FAILED" in done.stdout
    assert "Traceback" not in done.stderr
