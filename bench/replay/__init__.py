"""When to train again: policies of retraining, week by week."""
