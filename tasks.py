"""The tasks of this project, for ``./dockerbuild`` and ``invoke``: the namespace, nothing else."""

from invoke.collection import Collection

from dockerbuild_lib.cli import catalog, image, mirror, run, sources, store, test, wheel

ns = Collection(run.run, test.run_tests, catalog, image, mirror, sources, store, wheel)
