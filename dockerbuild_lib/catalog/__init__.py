"""The catalogue: YAML files in ``config/`` -> frozen models. Pure but for reading the files it is given."""
