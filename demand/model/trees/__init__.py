"""What the trees learn from, and the trees."""
