"""The demo's shops."""
