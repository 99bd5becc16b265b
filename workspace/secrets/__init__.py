"""What is secret: settings of the environment that hold it, and texts and output without it."""
