"""Every error that a user can meet: what happened, where, and how to fix it.

Each class has an exit code of its own; ``docs/reference/exit-codes.md`` lists them. ``transient`` says
whether the same operation may succeed when it is simply tried again.
"""

from __future__ import annotations

from typing import ClassVar


class DockerbuildError(Exception):
    """The root of every error of this project: *what* happened, *where*, and the *fix*."""

    exit_code: ClassVar[int] = 1
    transient: ClassVar[bool] = False

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        """One message: ``where: what; fix``, without the parts that are not known."""
        located = f"{self.where}: {self.what}" if self.where else self.what
        return f"{located}; {self.fix}" if self.fix else located


class UsageError(DockerbuildError):
    """A task was given a name or an option that it cannot take."""

    exit_code = 2


class CatalogError(DockerbuildError):
    """The catalogue or the settings are wrong; the message has a line for every problem."""

    exit_code = 3


class EngineUnavailableError(DockerbuildError):
    """No Docker engine answers."""

    exit_code = 4


class EnginePermissionError(DockerbuildError):
    """The Docker engine's socket exists, but this user may not open it."""

    exit_code = 5


class NetworkError(DockerbuildError):
    """A host outside could not be reached, or broke off."""

    exit_code = 6
    transient = True


class HashMismatchError(DockerbuildError):
    """Bytes do not have the sha256 that pins them."""

    exit_code = 7


class LockError(DockerbuildError):
    """Something needed has no pin in ``config/locks``, or its pin is out of date."""

    exit_code = 8


class BuildFailedError(DockerbuildError):
    """A command inside a build container failed; the message ends with the last lines of its log."""

    exit_code = 9


class WheelRefusedError(DockerbuildError):
    """A built wheel is not what its target and recipe say."""

    exit_code = 10


class TrialFailedError(DockerbuildError):
    """A wheel could not be installed or used by the target's Python."""

    exit_code = 11


class VersionConflictError(DockerbuildError):
    """The version is already published, and was made from another recipe."""

    exit_code = 12


class StoreDamagedError(DockerbuildError):
    """A package, or the store's index, is not what it must be."""

    exit_code = 13


class NotInStoreError(DockerbuildError):
    """The store has no such package, version or instance."""

    exit_code = 14


class NoSpaceError(DockerbuildError):
    """The disk of the work area, the store, the engine or a registry is full."""

    exit_code = 15


class ImageFailedError(DockerbuildError):
    """A base image or an image could not be made."""

    exit_code = 16


class LimitExceededError(DockerbuildError):
    """A build used more time or memory than its limits allow."""

    exit_code = 17


class NotReproducibleError(DockerbuildError):
    """A wheel that was built again is not identical."""

    exit_code = 18


class ToolMissingError(DockerbuildError):
    """A program of the machine that this step needs is not installed."""

    exit_code = 19


class StepsFailedError(DockerbuildError):
    """Several steps of a run failed, each for a reason of its own."""

    exit_code = 20


class UnsafeArchiveError(DockerbuildError):
    """An archive is damaged, holds too much, or would write outside the folder that it is unpacked to."""

    exit_code = 21


class StoreAmbiguousError(DockerbuildError):
    """More than one instance of a package carries the tag that was asked for."""

    exit_code = 22


class PermissionDeniedError(DockerbuildError):
    """A file or folder that must be read or written may not be."""

    exit_code = 23


class PatchFailedError(DockerbuildError):
    """A patch does not apply to its source, exactly as it is written."""

    exit_code = 24


class LoginRequiredError(DockerbuildError):
    """The store's service does not know who asks."""

    exit_code = 25


class StoreForbiddenError(DockerbuildError):
    """The store's service knows who asks, and does not let them."""

    exit_code = 26


class ServiceFailedError(DockerbuildError):
    """The store's service, or the client that speaks with it, failed or was not understood."""

    exit_code = 27


class AccessRefusedError(DockerbuildError):
    """A registry or package index does not know this user, or forbids what was asked of it."""

    exit_code = 28


class OfflineError(DockerbuildError):
    """Something is missing, and the user forbade every connection by which it could be had."""

    exit_code = 29


class InterruptedRunError(DockerbuildError):
    """The user stopped the run (Ctrl-C or SIGTERM)."""

    exit_code = 130
