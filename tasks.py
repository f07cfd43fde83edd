"""The tasks of this project, for ``./dockerbuild`` and ``invoke``: the namespace, nothing else."""

from invoke.collection import Collection

from dockerbuild_lib.cli import catalog, doctor, image, library, mirror, run, sources, store, test, wheel

ns = Collection(doctor.doctor, run.run, test.run_tests, catalog, image, library, mirror, sources, store, wheel)
