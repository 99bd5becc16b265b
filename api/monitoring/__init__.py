"""What Prometheus asks for."""
