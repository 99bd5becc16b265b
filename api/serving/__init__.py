"""What answers are made of, while serving."""
