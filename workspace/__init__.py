"""This working tree: files, params.yaml, DVC, Git, the registry of champions."""
