"""What breaks the system, on purpose: python -m bench.torture writes docs/reliability.md."""
