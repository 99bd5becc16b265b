"""How a command starts, reads, writes and calls DVC."""
