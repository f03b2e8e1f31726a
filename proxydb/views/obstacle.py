"""The exception with which the parts of the compiler say that they cannot go on."""


class Obstacle(Exception):
    """Why a view cannot be kept incrementally."""
