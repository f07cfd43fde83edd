"""The task ``store.serve``."""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context

from dockerbuild_lib.cli.environment import say
from dockerbuild_lib.cli.session import open_session
from dockerbuild_lib.cli.tasks_base import integer_option, task

DEFAULT_PORT = 8321
LAST_PORT = 65535


@task(
    help={
        "host": "address to listen at; default: 127.0.0.1, which only this machine reaches",
        "port": f"port to listen at, 0 for any that is free; default: {DEFAULT_PORT}",
        "token-file": "file whose one line is the token that writing needs; without it nobody may write",
        "read-only": "let nobody write",
    },
    auto_shortflags=False,  # -h would be --host
    engine=False,
)
def serve(
    _context: Context,
    host: str = "127.0.0.1",
    port: str = str(DEFAULT_PORT),
    token_file: str = "",
    read_only: bool = False,  # noqa: FBT001, FBT002
) -> None:
    """Serve the store over HTTP: to the cipd client, to pip and uv, and as pages for people. Ctrl-C ends it."""
    from dockerbuild_lib.core.errors import UsageError  # noqa: PLC0415
    from dockerbuild_lib.report.streams import write_result  # noqa: PLC0415
    from dockerbuild_lib.store.serve.access import Access, read_token  # noqa: PLC0415
    from dockerbuild_lib.store.serve.server import listening, run_server, url_of  # noqa: PLC0415

    number = integer_option("port", port, minimum=0)
    if number > LAST_PORT:
        raise UsageError(f"--port={port} is too large", fix=f"give a number up to {LAST_PORT}")
    folder = open_session().embedded_store.folder
    if not folder.is_dir():
        raise UsageError("there is no store", where=str(folder), fix="publish a wheel, or make the folder")
    token = read_token(Path(token_file)) if token_file else None
    with listening(host, number, has_token=token is not None) as listener:
        access = Access(None if read_only else token)
        writing = "writing needs the token" if access.token else "read-only"
        write_result(sys.stdout, f"{folder} is served at {url_of(listener)} ({writing})")
        sys.stdout.flush()
        run_server(listener, folder, access, say)
