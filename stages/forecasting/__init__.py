"""What the stages share and the API serves with: pure functions, no files, no clock."""
