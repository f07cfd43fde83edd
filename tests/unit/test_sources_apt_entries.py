"""apt's sources in both formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerbuild_lib.core.errors import LockError
from dockerbuild_lib.sources.apt_entries import AptEntry, parse_deb822, parse_lines, read_entries, stanzas

WHERE = Path("debian.sources")
MIRROR = "http://mirror.example/debian/"


def lines(text: str) -> list[AptEntry]:
    return list(parse_lines(text))


def deb822(text: str) -> list[AptEntry]:
    return list(parse_deb822(text, WHERE))


def test_a_plain_line() -> None:
    (entry,) = lines("deb http://mirror.example/debian bookworm main contrib # mine\n")
    assert entry == AptEntry(MIRROR, "bookworm", ("main", "contrib"))
    assert entry.line() == f"deb {MIRROR} bookworm main contrib"


def test_a_line_with_options() -> None:
    (entry,) = lines(f"deb [ arch=amd64 signed-by=/k/a.gpg,/k/b.gpg check-valid-until=no ] {MIRROR} bookworm main")
    assert entry.keyrings == ("/k/a.gpg", "/k/b.gpg")
    assert entry.line("deb-src") == (
        f"deb-src [signed-by=/k/a.gpg,/k/b.gpg check-valid-until=no] {MIRROR} bookworm main"
    )


@pytest.mark.parametrize(
    "text", ["", "# deb http://x/ y main", "deb-src http://x/ y main", "nonsense", "deb http://x/"]
)
def test_lines_that_are_no_binary_entry(text: str) -> None:
    assert lines(text) == []


def test_a_stanza_is_an_entry_for_each_suite_and_address() -> None:
    text = (
        "Types: deb deb-src\n# a comment between\nURIs: http://a.example/debian\n http://b.example/debian/\n"
        "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k/debian.gpg\nCheck-Valid-Until: no\n"
    )
    entries = deb822(text)
    assert [(entry.uri, entry.suite) for entry in entries] == [
        ("http://a.example/debian/", "bookworm"),
        ("http://a.example/debian/", "bookworm-updates"),
        ("http://b.example/debian/", "bookworm"),
        ("http://b.example/debian/", "bookworm-updates"),
    ]
    assert entries[0] == AptEntry("http://a.example/debian/", "bookworm", ("main",), ("/k/debian.gpg",), "no")


@pytest.mark.parametrize("more", ["Enabled: no\n", "Enabled: FALSE\n"])
def test_a_disabled_stanza_is_left_out(more: str) -> None:
    assert deb822(f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\n{more}") == []


def test_a_stanza_for_sources_only_is_left_out() -> None:
    assert deb822(f"Types: deb-src\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\n") == []


def test_a_key_inside_the_stanza_is_refused_with_the_way_out() -> None:
    text = f"Types: deb\nURIs: {MIRROR}\nSuites: s\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xyz\n"
    with pytest.raises(LockError, match=r"debian\.sources: .*put the key into a file"):
        deb822(text)


def test_files_are_read_in_apts_order_and_each_entry_once(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "sources.list").write_text("deb http://one/ s main\n")
    (tmp_path / "parts" / "b.list").write_text("deb http://three/ s main\ndeb http://one/ s main\n")
    (tmp_path / "parts" / "a.sources").write_text("Types: deb\nURIs: http://two/\nSuites: s\nComponents: main\n")
    (tmp_path / "parts" / "c.list.disabled").write_text("deb http://never/ s main\n")
    entries = read_entries(tmp_path / "sources.list", tmp_path / "parts")
    assert [entry.uri for entry in entries] == ["http://one/", "http://two/", "http://three/"]


def test_a_machine_without_such_files_has_no_entries(tmp_path: Path) -> None:
    assert read_entries(tmp_path / "none", tmp_path / "nowhere") == ()


def test_continuation_lines_belong_to_their_field() -> None:
    assert list(stanzas("A: 1\nB:\n x\n y\n\n\nA: 2\n")) == [{"a": "1", "b": "\nx\ny"}, {"a": "2"}]


@given(st.text(alphabet=st.sampled_from("deb []=:#\n\thtp/.srcTypesURIsSuites-"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    lines(text)
    deb822(text)


_WORD = st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True)


@given(
    st.builds(
        AptEntry,
        _WORD.map("http://{}/".format),
        _WORD,
        st.lists(_WORD, min_size=1).map(tuple),
        st.lists(_WORD.map("/{}".format)).map(tuple),
    )
)
def test_an_entrys_line_is_read_as_the_same_entry(entry: AptEntry) -> None:
    assert lines(entry.line()) == [entry]
