"""What a planner gets: the forecast table, the answers to a test file."""
