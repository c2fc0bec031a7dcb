# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors a person may see, each one sentence that says what is wrong and what to do."""


class HumsError(Exception):
    """Base of every error that the engine raises on purpose; its text is meant for people."""


class MotionFileError(HumsError):
    """A file cannot be read as a motion: damaged, empty, of another kind, or too large."""


class MappingError(HumsError):
    """A skeleton cannot be mapped onto the canonical body (no legs and spine to be found)."""


class ModelError(HumsError):
    """The encoder's model file is missing, unreadable or of a layout that this version cannot run."""


class LibraryError(HumsError):
    """A library is missing, damaged, locked by another writer, or made with another model."""


class MissingDependencyError(HumsError):
    """An optional package is not installed; the text names it and how to get it."""
