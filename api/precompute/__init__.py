"""All forecasts of the serving model, computed ahead in a process of its own."""
