"""What `make drift-bench` measures: how often drift is called that is none, and how soon drift is called that was put in."""
