# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator may return."""

from typing import Literal

OperatorReturnItems = Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]
