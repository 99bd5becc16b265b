"""The library: forecasts of daily demand, without files, clock, DVC or params.yaml."""
