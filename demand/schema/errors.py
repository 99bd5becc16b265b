"""The one error that is meant for the user's eyes."""


class UserError(ValueError):
    """Bad input or a bad setting: the message names what is wrong, where (file, rows, key) and what to do."""
