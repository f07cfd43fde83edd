"""The tasks of this project, for ``./dockerbuild`` and ``invoke``: the namespace, nothing else."""

from invoke.collection import Collection

from dockerbuild_lib.cli import test
from dockerbuild_lib.cli.tasks_base import DEFAULT_ROOT

ns = Collection(test.run_tests)
ns.configure({"dockerbuild": {"root": DEFAULT_ROOT}})
