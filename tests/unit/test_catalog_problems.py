"""Each thing that can be wrong in a catalogue's file: one tiny file each, and the very words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dockerbuild_lib.catalog import yaml_nodes
from tests.support.catalogs import problems_of, write_catalog

_RECIPE = "versions: {1.0.0: {}}"
_VERSIONS = "write 'here', 'any', or versions in quotes such as '>=3,<4'"

SYNTAX: dict[str, tuple[str | bytes, str]] = {
    "a tab in the indentation": ("x:\n\ttrial: a\n", "2:1: a tab stands in the indentation; indent with spaces"),
    "a tab after a value": ("x:\n  trial: a\n\tb: c\n", "3:1: a tab stands in the indentation; indent with spaces"),
    "a key without its colon": (
        "x:\n  trial a\n  versions: 1\n",
        "3:11: a ':' stands where none may be; quote a text that holds ': '",
    ),
    "a text with a colon": ("x: {trial: a: b}", "1:13: ',' or '}' is missing; see the mapping that starts on line 1"),
    "two colons in a line": ("x: y: z\n", "1:5: a ':' stands where none may be; quote a text that holds ': '"),
    "wrong indentation": (
        "x:\n  trial: a\n versions: b\n",
        "3:2: this does not line up with the lines above; check the indentation and the quotes",
    ),
    "a list that goes on as a mapping": (
        "- x\ny: 1\n",
        "2:1: this does not line up with the list above; check the indentation",
    ),
    "an open bracket": ("x: [a\n", "2:1: ',' or ']' is missing; see the list that starts on line 1"),
    "an open brace": ("x: {a: b\n", "2:1: ',' or '}' is missing; see the mapping that starts on line 1"),
    "an open quote": ("x: 'abc\n\n", "1:4: the quote that starts here is not closed; close it"),
    "an unknown escape": (
        'x: "\\q"',
        "1:5: an unknown escape stands in double quotes; write single quotes, or double the backslash",
    ),
    "a star at the start of a text": (
        "x: {platforms: [*-arm64]}",
        "1:17: YAML aliases (*) are not taken here; quote a text that starts with '*'",
    ),
    "an at sign at the start of a text": ("x: @a", "1:4: nothing can start with '@'; quote the text"),
    "two documents": (
        "x: {}\n---\ny: {}\n",
        "2:1: a second document starts here; keep one document in the file",
    ),
    "another version of YAML": (
        "%YAML 3.0\n---\nx: {}\n",
        "1:1: this is another version of YAML; remove the line that starts with %YAML",
    ),
    "bytes that are no UTF-8": (b"x:\n  trial: caf\xe9", "2:13: the byte 0xe9 is no UTF-8; save it as UTF-8"),
    "UTF-16": ("x: y".encode("utf-16"), "1:1: the byte 0xff is no UTF-8; save it as UTF-8"),
    "a control character": ("x: {}\n\x07", "2:1: the control character U+0007 stands here; remove it"),
    "a list that starts in the line of its key": (
        "x: - a\n",
        "1:4: a '-' stands where no list can start; start the list on the next line",
    ),
    "text in the line of its bar": (
        "x: |a\n  b\n",
        "1:5: a text of several lines starts on the next line; keep nothing behind '|' or '>', or quote it",
    ),
    "an anchor twice": (
        "x: &a b\ny: &a c\n",
        "2:4: YAML anchors (&) are not taken here; write the value out, or quote a text",
    ),
    "nesting that would exhaust the stack": (
        "x: " + "[" * 200_000,
        "1:23: more than 20 collections are nested here; write it flatter",
    ),
}

VALUES: dict[str, tuple[str, list[str]]] = {
    "a misspelt key": (
        "x:\n  trail: a\n  trial: b\n  " + _RECIPE,
        ["2:3: unknown key 'trail'; did you mean 'trial'?"],
    ),
    "a key that resembles none": (
        "x: {kind: universal, versions: {1.0.0: {}}, qqq: 1}",
        ["1:45: unknown key 'qqq'; known are: kind, spelling, versions"],
    ),
    "a key with the Python name of its field": (
        "x: {trial: a, config_settings: {}, " + _RECIPE + "}",
        ["1:15: unknown key 'config_settings'; did you mean 'config-settings'?"],
    ),
    "an unknown key that is the name of a kind": (
        "x: {kind: universal, universal: 1, " + _RECIPE + "}",
        ["1:22: unknown key 'universal'; known are: kind, spelling, versions"],
    ),
    "a source that is a text": (
        "x: {trial: a, source: git, " + _RECIPE + "}",
        ["1:23: a single value stands here, where a mapping belongs; write 'key: value' lines"],
    ),
    "a source without a type": (
        "x: {trial: a, source: {urls: []}, " + _RECIPE + "}",
        ["1:23: missing key 'type'; write one of: sdist, archive, git, local, debian"],
    ),
    "a source of an unknown type": (
        "x: {trial: a, source: {type: giz}, " + _RECIPE + "}",
        ["1:30: 'giz' is none of: sdist, archive, git, local, debian; did you mean 'git'?"],
    ),
    "a key of another type of source": (
        "x: {trial: a, source: {type: debian, package: a, urls: []}, " + _RECIPE + "}",
        ["1:50: unknown key 'urls'; known are: package, suite, type"],
    ),
    "an address with a password": (
        "x: {trial: a, source: {type: archive, urls: ['https://a:b@c.example/d']}, " + _RECIPE + "}",
        ["1:46: 'https://a:b@c.example/d' is not an http or https address, {version} allowed, without a password"],
    ),
    "an address with an unknown placeholder": (
        "x: {trial: a, source: {type: archive, urls: ['https://c.example/{name}']}, " + _RECIPE + "}",
        ["1:46: 'https://c.example/{name}' is not an http or https address, {version} allowed, without a password"],
    ),
    "an archive at no address": (
        "x: {trial: a, source: {type: archive, urls: []}, " + _RECIPE + "}",
        ["1:45: a list stands here that is empty; write at least one entry"],
    ),
    "a repository that is a program": (
        "x: {trial: a, source: {type: git, repository: 'ext::sh -c id', revision: v1}, " + _RECIPE + "}",
        [
            (
                "1:47: 'ext::sh -c id' is no address of a git repository; write https://host/path, "
                "ssh://user@host/path or file:///path, without a password"
            )
        ],
    ),
    "a revision that is an option": (
        "x: {trial: a, source: {type: git, repository: 'https://a.example/b', revision: --upload-pack=id}, "
        + _RECIPE
        + "}",
        ["1:80: '--upload-pack=id' is not a tag, a branch or a commit, {version} allowed"],
    ),
    "a subfolder outside": (
        "x: {trial: a, source: {type: git, repository: 'https://a.example/b', revision: a, subfolder: ../c}, "
        + _RECIPE
        + "}",
        ["1:94: '../c' is no folder inside of the repository; write a path such as bindings/python"],
    ),
    "a folder of one machine": (
        "x: {trial: a, source: {type: local, folder: /srv/demo}, " + _RECIPE + "}",
        ["1:45: '/srv/demo' is no relative path; write one that starts from the catalogue's folder"],
    ),
    "a missing key": ("\nx:\n  " + _RECIPE, ["2:1: missing key 'trial'; add 'trial: ...'"]),
    "a duplicate key": (
        "x:\n  trial: a\n  versions: {1.0.0: {}}\n  trial: b\n",
        ["4:3: duplicate key 'trial'; it is already on line 2; keep one"],
    ),
    "a duplicate version, quoted and not": (
        'x: {trial: a, versions: {1.0.0: {}, "1.0.0": {}}}',
        ["1:37: duplicate key '1.0.0'; it is already on line 1; keep one"],
    ),
    "a version that YAML reads as another number": (
        "x: {trial: a, versions: {3.10: {}}}",
        ["1:26: 3.10 is read as the number 3.1; quote it"],
    ),
    "a version that YAML reads as a number": (
        "x: {trial: a, versions: {6: {}}}",
        ["1:26: 6 is read as a number; quote it"],
    ),
    "a version that is none": (
        "x: {trial: a, versions: {latest: {}}}",
        ["1:26: 'latest' is not a version (PEP 440)"],
    ),
    "a number as a text": ("x: {trial: 3.10, " + _RECIPE + "}", ["1:12: 3.10 is read as the number 3.1; quote it"]),
    "base 60 as a text": ("x: {trial: 1:30, " + _RECIPE + "}", ["1:12: 1:30 is read as the number 90; quote it"]),
    "a date as a text": ("x: {trial: 2024-01-01, " + _RECIPE + "}", ["1:12: 2024-01-01 is read as a date; quote it"]),
    "yes as a text": ("x: {trial: yes, " + _RECIPE + "}", ["1:12: yes is read as the flag true; quote it"]),
    "true as a text": ("x: {trial: true, " + _RECIPE + "}", ["1:12: true is read as a flag; quote it"]),
    "a tilde as a text": ("x: {trial: ~, " + _RECIPE + "}", ["1:12: ~ is read as nothing; quote it"]),
    "nothing as a text": (
        "x: {trial: , " + _RECIPE + "}",
        ["1:5: no value is given, where a text belongs; write one"],
    ),
    "a list as a text": (
        "x: {trial: [a], " + _RECIPE + "}",
        ["1:12: a list stands here, where a text belongs; write one text"],
    ),
    "a mapping as a text": (
        "x: {trial: {a: b}, " + _RECIPE + "}",
        ["1:12: a mapping stands here, where a text belongs; write one text"],
    ),
    "an empty text": ("x: {trial: '', " + _RECIPE + "}", ["1:12: an empty text stands here; write one"]),
    "a number that is too long": (
        "x: {trial: " + "9" * 200 + ", " + _RECIPE + "}",
        ["1:12: YAML takes this for a number; quote it"],
    ),
    "a scalar where a list belongs": (
        "x: {trial: a, libraries: libffi, " + _RECIPE + "}",
        ["1:26: a single value stands here, where a list belongs; write a list: [libffi]"],
    ),
    "a text of lines where a list belongs": (
        "x:\n  trial: a\n  versions: {1.0.0: {}}\n  extensions: |\n    a\n    b\n",
        ["4:15: a single value stands here, where a list belongs; write a list: [...]"],
    ),
    "nothing where a list belongs": (
        "x: {trial: a, libraries: , " + _RECIPE + "}",
        ["1:15: no value is given, where a list belongs; write a list, [] for an empty one"],
    ),
    "a mapping where a list belongs": (
        "x: {trial: a, libraries: {a: b}, " + _RECIPE + "}",
        ["1:26: a mapping stands here, where a list belongs; write a list: [...]"],
    ),
    "nothing where a mapping belongs": (
        "x:\n  trial: a\n  versions:\n    1.0.0:\n",
        ["4:5: no value is given, where a mapping belongs; write 'key: value' lines, {} for none"],
    ),
    "a scalar where a mapping belongs": (
        "x: {trial: a, versions: 1.0.0}",
        ["1:25: a single value stands here, where a mapping belongs; write 'key: value' lines"],
    ),
    "a list where a mapping belongs": (
        "x: {trial: a, versions: [1.0.0]}",
        ["1:25: a list stands here, where a mapping belongs; write 'key: value' lines"],
    ),
    "no version": (
        "x: {trial: a, versions: {}}",
        ["1:25: a mapping stands here that is empty; write at least one entry"],
    ),
    "no versions at all": ("x: {trial: a}", ["1:4: missing key 'versions'; add 'versions: ...'"]),
    "versions of a folder that tells its own": (
        "x: {trial: a, source: {type: local, folder: y}, " + _RECIPE + "}",
        ["1:4: 'versions' stand here, but a local folder tells its own version; remove them"],
    ),
    "an unknown Python tag": (
        "x: {kind: pure, python-tag: py2, " + _RECIPE + "}",
        ["1:29: 'py2' is none of: py3, py2.py3; did you mean 'py3'?"],
    ),
    "an unknown kind": (
        "x:\n  kind: universe\n  versions: {1.0.0: {}}",
        ["2:9: 'universe' is none of: source, pure, universal, prebuilt; did you mean 'universal'?"],
    ),
    "a kind that is no text": (
        "x: {kind: [source], versions: {1.0.0: {}}}",
        ["1:11: \"['source']\" is none of: source, pure, universal, prebuilt; did you mean 'source'?"],
    ),
    "a quoted whole number": (
        "x: {trial: a, versions: {1.0.0: {revision: '1'}}}",
        ["1:44: '1' is a text, where a whole number belongs; remove the quotes"],
    ),
    "a broken number": (
        "x: {trial: a, versions: {1.0.0: {revision: 1.5}}}",
        ["1:44: '1.5' is no whole number; write a number"],
    ),
    "a list as a number": (
        "x: {trial: a, versions: {1.0.0: {revision: []}}}",
        ["1:44: a list stands here, where a whole number belongs; write a number"],
    ),
    "a number below zero": (
        "x: {trial: a, versions: {1.0.0: {revision: -1}}}",
        ["1:44: '-1' is less than 0; write 0 or more"],
    ),
    "a text as a flag": (
        "x: {trial: a, versions: {1.0.0: {default: 'no'}}}",
        ["1:43: this is neither true nor false; write true or false"],
    ),
    "a variable with a blank in its name": (
        "x: {trial: a, environment: {A B: c}, " + _RECIPE + "}",
        ["1:29: 'A B' is not a variable's name: letters, digits and '_'"],
    ),
    "an item that is no module": (
        "x: {trial: a, extensions: [ok, no-module], " + _RECIPE + "}",
        ["1:32: 'no-module' is not a module's dotted name"],
    ),
    "a build requirement that is none": (
        "x: {trial: a, build-requires: {meson: '>= 1', flit: 1.x}, " + _RECIPE + "}",
        [f"1:53: '1.x' says no versions (PEP 508); {_VERSIONS}"],
    ),
    "a build requirement by address": (
        "x: {trial: a, build-requires: {meson: '@ https://a.example/x.whl'}, " + _RECIPE + "}",
        [f"1:39: '@ https://a.example/x.whl' is an address, which cannot be locked; {_VERSIONS}"],
    ),
    "build requirements without a name": (
        "x: {trial: a, build-requires: [meson >= 1], " + _RECIPE + "}",
        ["1:31: a list stands here, where a mapping belongs; write 'key: value' lines"],
    ),
    "a build requirement with a name that is not normalised": (
        "x: {trial: a, build-requires: {Flit_Core: any}, " + _RECIPE + "}",
        ["1:32: 'Flit_Core' is not a normalised distribution name (PEP 503); write 'flit-core'"],
    ),
    "a build requirement without its versions": (
        "x:\n  trial: a\n  build-requires:\n    a:\n    b: ''\n    c: 80\n  " + _RECIPE + "\n",
        [
            "4:5: no value is given, where a text belongs; write one",
            f"5:8: an empty text stands here; {_VERSIONS}",
            "6:8: 80 is read as a number; quote it",
        ],
    ),
    "a list at the top": (
        "[x]",
        ["1:1: a list stands here, where a mapping belongs; write 'key: value' lines"],
    ),
    "a text at the top": (
        "x",
        ["1:1: a single value stands here, where a mapping belongs; write 'key: value' lines"],
    ),
    "an empty file": (
        "",
        ["1:1: no value is given, where a mapping belongs; write 'key: value' lines, {} for none"],
    ),
    "a file of comments": (
        "# x\n",
        ["1:1: no value is given, where a mapping belongs; write 'key: value' lines, {} for none"],
    ),
    "no recipe": ("{}", ["1:1: the file holds no recipe; write one under 'x:'"]),
    "the recipe of another wheel": (
        "y: {trial: a, " + _RECIPE + "}",
        ["1:1: 'y' stands in the file of 'x'; write 'x:', or move it to y.yaml"],
    ),
    "a second recipe": (
        "x: {trial: a, versions: {1.0.0: {}}}\ny: {trial: a, versions: {1.0.0: {}}}",
        ["2:1: 'y' stands in the file of 'x'; write 'x:', or move it to y.yaml"],
    ),
    "an alias": (
        "x:\n  trial: &t a\n  versions: {1.0.0: {}}\n  platforms: [*t]\n",
        ["4:15: the alias *t is not taken here; write the value out"],
    ),
    "an alias that holds itself": ("x: &a [*a]", ["1:8: the alias *a is not taken here; write the value out"]),
    "an alias as a key": (
        "x: {trial: &t 1.0.0, versions: {*t : {}}}",
        ["1:33: the alias *t is not taken here; write the value out"],
    ),
    "a merge key": (
        "x: {<<: {trial: a}, " + _RECIPE + "}",
        ["1:5: merge keys (<<) are not taken here; write the keys out"],
    ),
    "a tag": (
        "x: !!python/object:os.system {trial: a}",
        ["1:4: the YAML tag '!!python/object:os.system' is not taken here; remove it, or quote the text"],
    ),
    "a tag on a key": (
        "!mine x: {}",
        ["1:1: the YAML tag '!mine' is not taken here; remove it, or quote the text"],
    ),
    "a tag that its value belies": (
        "x: {trial: !!int a, " + _RECIPE + "}",
        ["1:12: YAML takes this for a number; quote it"],
    ),
    "a list as a key": ("? [x]\n: y", ["1:3: a list or mapping stands as a key; a key is a text"]),
    "deep nesting": (
        "x: {trial: a, versions: {1.0.0: " + "[" * 30 + "]" * 30 + "}}",
        [
            "1:33: a list stands here, where a mapping belongs; write 'key: value' lines",
            "1:50: more than 20 collections are nested here; write it flatter",
        ],
    ),
}


@pytest.mark.parametrize("name", SYNTAX)
def test_what_is_no_yaml_is_said_in_plain_words(tmp_path: Path, name: str) -> None:
    content, said = SYNTAX[name]
    assert problems_of(write_catalog(tmp_path, wheels__x=content)) == [f"config/wheels/x.yaml:{said}"]


@pytest.mark.parametrize("loader", [yaml_nodes.Loader, yaml.SafeLoader], ids=["libyaml", "python"])
@pytest.mark.parametrize("name", VALUES)
def test_what_the_models_refuse_is_said_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, loader: type[yaml.SafeLoader]
) -> None:
    monkeypatch.setattr(yaml_nodes, "Loader", loader)
    content, said = VALUES[name]
    assert problems_of(write_catalog(tmp_path, wheels__x=content)) == [f"config/wheels/x.yaml:{line}" for line in said]


def test_a_billion_laughs_are_refused_and_not_laughed(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    found = problems_of(write_catalog(tmp_path, wheels__x="\n".join(lines)))
    assert "config/wheels/x.yaml:2:10: the alias *a0 is not taken here; write the value out" in found


def test_a_python_written_as_a_number_is_refused(tmp_path: Path) -> None:
    found = problems_of(write_catalog(tmp_path, pythons="3.10: {source: debian}\n"))
    assert found == ["config/pythons.yaml:1:1: 3.10 is read as the number 3.1; quote it"]


def test_a_value_outside_a_choice_names_the_choices(tmp_path: Path) -> None:
    found = problems_of(write_catalog(tmp_path, toolchains="zig: {compiler: clang}\ngcc: {compiler: gc}\n"))
    assert found == [
        "config/toolchains.yaml:1:17: 'clang' is none of: zig, gcc, base; write one of them",
        "config/toolchains.yaml:2:17: 'gc' is none of: zig, gcc, base; did you mean 'gcc'?",
    ]


def test_an_unreadable_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    config = write_catalog(tmp_path)
    (config / "wheels" / "x.yaml").mkdir()
    (config / "wheels" / "y.yaml").symlink_to("nowhere")
    assert problems_of(config) == [
        "config/wheels/x.yaml: cannot be read: Is a directory",
        "config/wheels/y.yaml: cannot be read: No such file or directory",
    ]


def test_places_are_counted_in_characters_after_wide_ones(tmp_path: Path) -> None:
    found = problems_of(write_catalog(tmp_path, wheels__x='x: {trial: "\U0001f40d\u00e9", versions: {6: {}}}'))
    assert found == ["config/wheels/x.yaml:1:29: 6 is read as a number; quote it"]


def test_a_byte_order_mark_moves_no_place(tmp_path: Path) -> None:
    found = problems_of(write_catalog(tmp_path, wheels__x=b"\xef\xbb\xbfx: {trial: 1, versions: {1.0.0: {}}}"))
    assert found == ["config/wheels/x.yaml:1:12: 1 is read as a number; quote it"]
