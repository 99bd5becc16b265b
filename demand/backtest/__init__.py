"""A model on rolling origins, scored beside simple methods."""
