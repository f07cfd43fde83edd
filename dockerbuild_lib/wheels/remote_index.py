"""A package index of somebody else that takes uploads, through twine.

Who may write there is found as twine finds it: in the keyring, in ``.pypirc``, in ``TWINE_USERNAME`` and
``TWINE_PASSWORD``; at a terminal it asks.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from dockerbuild_lib.core.connections import CONNECTIONS
from dockerbuild_lib.core.errors import AccessRefusedError, UsageError, WheelRefusedError
from dockerbuild_lib.core.files import CHUNK
from dockerbuild_lib.core.http import RefusedError, redacted, translated
from dockerbuild_lib.sources.index_page import ACCEPT, IndexEntry, parse_page

if TYPE_CHECKING:
    import requests
    from twine.repository import Repository
    from twine.settings import Settings

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 300
"""An index may look into a large file before it answers."""
_MAX_REDIRECTS = 5
_NOT_ALLOWED = frozenset({401, 403, 407})
_CONFLICT, _BAD_REQUEST, _NOT_FOUND = 409, 400, 404
_FIX_LOGIN = "give twine its user name and password: in the keyring, in ~/.pypirc, or TWINE_USERNAME and TWINE_PASSWORD"


class RemoteIndex:
    """The index at *target*, its address or its name in ``.pypirc``; its simple pages (PEP 503, 691) are at *pages*.

    Raises:
        UsageError: *target* is no address, has a password in it, or is no name in ``.pypirc``.
        AccessRefusedError: nothing is known of who may write there.

    """

    def __init__(self, target: str, pages: str = "", *, interactive: bool = False) -> None:
        with _translated_configuration(target):
            settings = _settings(target, interactive=interactive)
            self._repository: Repository = settings.create_repository()
        self.url = self._repository.url
        CONNECTIONS.require(redacted(self.url))
        self.pages = pages or urljoin(f"{self.url.rstrip('/')}/", "simple/")
        self._get = partial(
            self._repository.session.get, allow_redirects=False, timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS)
        )
        _set_time_limit(self._repository.session)

    def close(self) -> None:
        """Close the connections."""
        self._repository.close()

    def files_of(self, project: str) -> Mapping[str, IndexEntry]:
        """Return file name -> what the index shows of it, for the files of *project*.

        Raises:
            AccessRefusedError: the index does not show its pages to this user.
            NetworkError: it cannot be reached, or shows something else.

        """
        url = urljoin(f"{self.pages.rstrip('/')}/", f"{project}/")
        with translated(url):
            page = self._page(url)
            body = page.content if page is not None else b""
        if page is None:
            return {}
        content_type = page.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return {entry.filename: entry for entry in parse_page(page.url, content_type, body)}

    def _page(self, url: str) -> requests.Response | None:
        """Return the page; None when there is none. Another host, to which some redirect, is another index."""
        for _ in range(_MAX_REDIRECTS):
            answer = self._get(url, headers={"Accept": ACCEPT})
            if not answer.is_redirect:
                break
            following = urljoin(url, answer.headers["location"])
            if urlsplit(following).netloc != urlsplit(url).netloc:
                return None
            url = following
        if answer.status_code == _NOT_FOUND:
            return None
        self._refuse(answer)
        return answer

    def sha256_of(self, entry: IndexEntry) -> str:
        """Return the sha256 of a file of the index, downloading it where its page does not say."""
        if entry.sha256:
            return entry.sha256
        digest = hashlib.sha256()
        with translated(entry.url), self._get(entry.url, stream=True, allow_redirects=True) as answer:
            self._refuse(answer)
            for chunk in answer.iter_content(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def upload(self, wheel: Path) -> bool:
        """Upload a wheel, and tell whether the index took it: it does not where it has a file of that name.

        Raises:
            AccessRefusedError: this user may not write there.
            NetworkError: the index cannot be reached, or says no.
            WheelRefusedError: twine says that it is no wheel.

        """
        from twine.exceptions import InvalidDistribution  # noqa: PLC0415  # twine is slow to import
        from twine.package import PackageFile  # noqa: PLC0415

        try:
            package = PackageFile.from_filename(str(wheel), None)
        except InvalidDistribution as error:
            raise WheelRefusedError(str(error), where=str(wheel)) from error
        with translated(self.url), redirect_stdout(io.StringIO()):  # it says what it does
            answer = self._repository.upload(package)
        if answer.status_code == _CONFLICT or (answer.status_code == _BAD_REQUEST and _says_that_it_exists(answer)):
            return False
        self._refuse(answer)
        return True

    def _refuse(self, answer: requests.Response) -> None:
        """Raise what an answer that is no success means."""
        where = redacted(answer.url)
        said = f"the index answered {answer.status_code} {answer.reason or ''}".rstrip()
        if answer.status_code in _NOT_ALLOWED:
            raise AccessRefusedError(said, where=where, fix=_FIX_LOGIN)
        if answer.is_redirect:
            raise RefusedError(f"the index sends uploads on to {redacted(answer.headers['location'])}", where=where)
        if not answer.ok:
            first_line = next(iter(answer.text.strip().splitlines()), "")
            raise RefusedError(f"{said} ({first_line[:200]})", where=where, status=answer.status_code)


def _says_that_it_exists(answer: requests.Response) -> bool:
    return any("already exist" in text.lower() for text in (answer.reason or "", answer.text))


def _set_time_limit(session: requests.Session) -> None:
    """Let no upload wait forever: twine sets no limit."""
    session.request = partial(session.request, timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS))  # type: ignore[method-assign]


def _settings(target: str, *, interactive: bool) -> Settings:
    from twine.settings import Settings  # noqa: PLC0415  # twine is slow to import
    from twine.utils import DEFAULT_CONFIG_FILE, get_config  # noqa: PLC0415

    sections = {name: section["repository"] for name, section in get_config(DEFAULT_CONFIG_FILE).items()}
    parser = argparse.ArgumentParser()
    Settings.register_argparse_arguments(parser)
    options = parser.parse_args([])  # its defaults are the environment's
    options.disable_progress_bar = True
    options.non_interactive = options.non_interactive or not interactive
    named = {url.rstrip("/"): name for name, url in sections.items() if url}
    options.repository = named.get(target.rstrip("/"), target)
    options.repository_url = None if options.repository in sections else _checked(target, sections)
    return Settings.from_argparse(options)


def _checked(url: str, sections: Mapping[str, object]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(
            f"{url!r} is neither an address nor a name in .pypirc",
            fix=f"give https://HOST/..., or one of {', '.join(sorted(sections))}",
        )
    if "@" in parts.netloc:
        raise UsageError(f"the address {redacted(url)} has a password in it, which others could see", fix=_FIX_LOGIN)
    return url


@contextmanager
def _translated_configuration(target: str) -> Iterator[None]:
    from twine.exceptions import NonInteractive, TwineException  # noqa: PLC0415  # twine is slow to import

    where = redacted(target)
    try:
        yield
    except NonInteractive as error:
        raise AccessRefusedError("nothing is known of who may upload there", where=where, fix=_FIX_LOGIN) from error
    except (TwineException, configparser.Error) as error:
        raise UsageError(f"twine cannot use its configuration: {type(error).__name__}", where=where) from None
