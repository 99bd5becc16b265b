"""Is the champion wrong by more than expected? Data drift, feed problems, the report."""
