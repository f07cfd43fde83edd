"""Who this user is to a registry: what ``docker login`` has written down, or a credential helper keeps."""

from __future__ import annotations

import binascii
import json
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockerbuild_lib.catalog.image_references import HUB
from dockerbuild_lib.core.errors import AccessRefusedError
from dockerbuild_lib.core.machine import find_program

_HUB_ENTRY = f"https://index.{HUB}/v1/"
"""Where Docker's clients keep the login of Docker Hub."""
_TOKEN_USER = "<token>"  # noqa: S105 - the user name that says that the secret is a token
_HELPER_SECONDS = 60


@dataclass(frozen=True)
class Login:
    """A user name with its password, or with a refresh token of the registry's authorization server (OAuth 2)."""

    user: str
    secret: str
    is_token: bool = False

    def __repr__(self) -> str:
        """Return no secret."""
        return f"Login({self.user!r})"


def login_for(registry: str, environ: Mapping[str, str]) -> Login | None:
    """Return what Docker's configuration says of a registry; None: nothing.

    Raises:
        AccessRefusedError: the configuration cannot be read, or its helper failed.

    """
    file = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "~"), ".docker").expanduser(), "config.json")
    try:
        configuration = json.loads(file.read_bytes())
        entry = _HUB_ENTRY if registry == HUB else registry
        helper = (configuration.get("credHelpers") or {}).get(entry) or configuration.get("credsStore")
        if helper and (login := _from_helper(helper, entry)):
            return login
        return _from_entry((configuration.get("auths") or {}).get(entry) or {})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        fix = f"mend it, or log in again (docker login {registry})"
        raise AccessRefusedError(f"the login cannot be read ({error})", where=str(file), fix=fix) from error


def _from_entry(entry: Mapping[str, Any]) -> Login | None:
    user, secret = str(entry.get("username", "")), str(entry.get("password", ""))
    if "auth" in entry:
        try:
            user, _, secret = b64decode(entry["auth"], validate=True).decode().partition(":")
        except binascii.Error as error:
            raise ValueError("`auth` is no base64") from error
    if token := entry.get("identitytoken"):
        return Login(user, str(token), is_token=True)
    return Login(user, secret) if user else None


def _from_helper(name: str, entry: str) -> Login | None:
    """Ask ``docker-credential-NAME`` (its protocol: the registry on stdin, JSON on stdout)."""
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError(f"{name!r} is no name of a credential helper")
    program = find_program(f"docker-credential-{name}")
    if program is None:
        raise ValueError(f"docker-credential-{name} is not installed")
    done = subprocess.run(
        (program, "get"), input=entry.encode(), capture_output=True, timeout=_HELPER_SECONDS, check=False
    )
    if done.returncode != 0:
        said = (done.stdout or done.stderr).decode(errors="replace").strip()
        if "not found" in said.lower():
            return None
        raise ValueError(f"docker-credential-{name} failed: {said[:200]}")
    answer = json.loads(done.stdout)
    user = str(answer["Username"])
    return Login(user, str(answer["Secret"]), is_token=user == _TOKEN_USER)
