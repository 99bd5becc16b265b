"""What `make bench` measures: accuracy, time and memory beside other methods, and what `dvc repro` costs."""
