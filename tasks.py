"""The tasks of this project, for ``./dockerbuild`` and ``invoke``: the namespace, nothing else."""

from invoke.collection import Collection

from dockerbuild_lib.cli import catalog, image, sources, store, test, wheel

ns = Collection(test.run_tests, catalog, image, sources, store, wheel)
