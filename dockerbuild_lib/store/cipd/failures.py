"""What the ``cipd`` client says when it fails, as the project's own errors.

Its error codes decide first, words only between what one code stands for: the words are the service's, and no
contract. What is not understood is an error of the service, and never "not there".
"""

from __future__ import annotations

from collections.abc import Mapping

from dockerbuild_lib.core.errors import (
    DockerbuildError,
    LoginRequiredError,
    NetworkError,
    NoSpaceError,
    NotInStoreError,
    PermissionDeniedError,
    ServiceFailedError,
    StoreAmbiguousError,
    StoreDamagedError,
    StoreForbiddenError,
    UsageError,
)

_ADVICE = ", run `cipd auth-login` to login or relogin"
"""What the client appends to every refusal."""

_LIST = "store.list and store.describe show what there is"
_REACH = "check the network and the service's address, then run it again"
_LOGIN = (
    "log in with `cipd auth-login`, or give the client a credential helper; if it still refuses then, "
    "an owner of the package's prefix must grant you the role"
)
_GRANT = (
    "`cipd auth-info` shows who you are; an owner of the package's prefix (`cipd acl-list PREFIX`) grants you the "
    "role: `cipd acl-edit PREFIX -reader user:YOU`, or -writer"
)
_SPACE = "free space, then run it again"
_RIGHTS = "make it writable for this user"

_Meaning = tuple[type[DockerbuildError], str | None]
"""The error, and how to fix it."""

_BY_CODE: Mapping[str, _Meaning] = {
    "invalid_version_error": (NotInStoreError, _LIST),
    "auth_error": (StoreForbiddenError, _GRANT),
    "backend_unavailable_error": (NetworkError, _REACH),
    "timeout_error": (NetworkError, _REACH),
    "offline_client_error": (NetworkError, _REACH),
    "hash_mismatch_error": (StoreDamagedError, "publish it again"),
    "bad_argument_error": (UsageError, None),
}
_BY_WORDS: tuple[tuple[str, str, _Meaning], ...] = (
    ("invalid_version_error", "ambiguity when resolving the tag", (StoreAmbiguousError, "name the instance id")),
    ("auth_error", "unauthenticated callers", (LoginRequiredError, _LOGIN)),
    ("auth_error", "anonymous:anonymous", (LoginRequiredError, _LOGIN)),
    ("auth_error", "none was sent", (LoginRequiredError, _LOGIN)),
    ("auth_error", "initializing auth client", (LoginRequiredError, _LOGIN)),
    ("cas_error", "load after multiple attempts", (NetworkError, _REACH)),
    ("io_error", "no space left", (NoSpaceError, _SPACE)),
    ("io_error", "quota exceeded", (NoSpaceError, _SPACE)),
    ("io_error", "permission denied", (PermissionDeniedError, _RIGHTS)),
    ("io_error", "read-only file system", (PermissionDeniedError, _RIGHTS)),
)


def failure_of(code: str, message: str, where: str) -> DockerbuildError:
    """Return the error that the client's *code* and *message* mean; *where* is the service and what was asked of it."""
    what = message.removesuffix(_ADVICE)
    for of, words, meaning in _BY_WORDS:
        if code == of and words in what:
            return meaning[0](what, where=where, fix=meaning[1])
    if code in _BY_CODE:
        kind, fix = _BY_CODE[code]
        return kind(what, where=where, fix=fix)
    return ServiceFailedError(f"{what} ({code})" if code else what, where=where)
