"""The package indexes of this machine, as pip is configured for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from dockerbuild_lib.core.errors import UsageError
from dockerbuild_lib.core.http import RefusedError, redacted
from dockerbuild_lib.sources.download import Downloader
from dockerbuild_lib.sources.http import HttpSettings
from dockerbuild_lib.sources.index_page import ACCEPT, IndexEntry, parse_page

_NOT_THERE = frozenset({404, 410})


@dataclass(frozen=True)
class IndexConfiguration:
    """Where packages come from, the first index first."""

    indexes: tuple[str, ...]
    http: HttpSettings = field(default_factory=HttpSettings)


def read_pip_configuration() -> IndexConfiguration:
    """Return what pip on this machine would use: its files, its variables, and its own defaults.

    pip offers no interface for this; its version is locked, so its inside is known.

    Raises:
        UsageError: pip's configuration cannot be read, or forbids an index.

    """
    from pip._internal.commands import create_command  # noqa: PLC0415  # it costs 300 ms to import
    from pip._internal.exceptions import PipError  # noqa: PLC0415

    try:
        options, _ = create_command("download").parse_args([])
    except (PipError, SystemExit) as error:
        why = f"pip's configuration on this machine cannot be read: {error}"
        raise UsageError(why, fix="see `pip config debug`") from error
    if options.no_index:
        raise UsageError("pip is configured not to use any package index (no-index)", fix="see `pip config debug`")
    return IndexConfiguration(indexes=(options.index_url, *options.extra_index_urls), http=_http_settings(options))


def _http_settings(options: object) -> HttpSettings:
    proxy: str | None = getattr(options, "proxy", None)
    return HttpSettings(
        ca_bundle=getattr(options, "cert", None),
        client_certificate=getattr(options, "client_cert", None),
        proxies=(("http", proxy), ("https", proxy)) if proxy else (),
        trusted_hosts=tuple(getattr(options, "trusted_hosts", ())),
    )


class PackageIndex:
    """Lists projects' files; each project's page is read once."""

    def __init__(self, configuration: IndexConfiguration, downloader: Downloader) -> None:
        self.configuration = configuration
        self.downloader = downloader
        self._pages: dict[tuple[str, str], tuple[IndexEntry, ...]] = {}

    def listings(self, distribution: str) -> Iterator[tuple[str, tuple[IndexEntry, ...]]]:
        """Yield each index that knows the project, with the project's files there.

        Raises:
            NetworkError: an index cannot be reached, or is none.

        """
        name = canonicalize_name(distribution)
        for index in self.configuration.indexes:
            files = self._files(index, name)
            if files:
                yield index, files

    def files(self, distribution: str) -> tuple[IndexEntry, ...]:
        """Return the project's files in the first index that knows it: others may not slip in their own."""
        return next((files for _, files in self.listings(distribution)), ())

    def _files(self, index: str, name: str) -> tuple[IndexEntry, ...]:
        key = (index, name)
        if key not in self._pages:
            self._pages[key] = self._read(f"{index.rstrip('/')}/{name}/")
        return self._pages[key]

    def _read(self, url: str) -> tuple[IndexEntry, ...]:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(
                f"the package index {redacted(url)!r} is no http or https address", fix="see `pip config debug`"
            )
        try:
            return parse_page(*self.downloader.page(url, accept=ACCEPT))
        except RefusedError as error:
            if error.status in _NOT_THERE:
                return ()
            raise


def open_package_index() -> PackageIndex:
    """Return the package indexes of this machine."""
    configuration = read_pip_configuration()
    return PackageIndex(configuration, Downloader(configuration.http))
