"""Tools of the commands: GitHub, the Hub, the image, the test in operation."""
