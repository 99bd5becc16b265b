"""Candidate and champions on disk."""
