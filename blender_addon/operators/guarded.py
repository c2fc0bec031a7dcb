# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of all operators: a refusal is one sentence, shown to the person and raised to the script."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bpy.types import Context, Operator

from ..core import last_error, wording
from ..core.engine import errors, missing_parts

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems


class Guarded(Operator):
    """An operator that does its work in ``run``, which may raise a `HumsError`."""

    @classmethod
    def refusal(cls, context: Context) -> str:
        """Why the operator cannot be called now, cheap to find out; empty when it can."""
        return ""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Greys the button out, with the reason in its tooltip."""
        reason = missing_parts() or cls.refusal(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Does the work, or reports in one sentence why it cannot be done."""
        return self.guard(lambda: self.run(context))

    def guard(self, work: Callable[[], object]) -> set[OperatorReturnItems]:
        """Does some work, or reports in one sentence why it cannot be done; the report has the rest."""
        try:
            work()
        except errors.HumsError as error:
            last_error.remember(error, self.bl_label)
            self.report({"ERROR"}, wording.told(str(error)))
            return {"CANCELLED"}
        except Exception as error:  # nobody foresaw it: Blender shows its traceback, and the report keeps it
            last_error.remember(error, self.bl_label)
            raise
        return {"FINISHED"}

    def run(self, context: Context) -> None:
        """The work.

        Raises:
            HumsError: it cannot be done; the text says why and what to do.
        """
        raise NotImplementedError
