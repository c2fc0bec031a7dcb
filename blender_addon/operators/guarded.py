# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of all operators: a refusal is one sentence, shown to the person and raised to the script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpy.types import Context, Operator

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
        try:
            self.run(context)
        except errors.HumsError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def run(self, context: Context) -> None:
        """The work.

        Raises:
            HumsError: it cannot be done; the text says why and what to do.
        """
        raise NotImplementedError
