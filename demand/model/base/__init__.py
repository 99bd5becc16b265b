"""The base forecast: seasonal factors times level times growth."""
