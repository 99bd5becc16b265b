"""The pipeline, one module per DVC stage, in the order of dvc.yaml."""
