# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""All refusals that are known, and what an answer means by them."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.graph_refusals import GRAPH_REFUSALS
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import KnownRefusal
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.own_stops import OWN_STOPS
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import ServiceAnswer
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.smtp_refusals import SMTP_REFUSALS

KNOWN_REFUSALS = (*SMTP_REFUSALS, *GRAPH_REFUSALS, *OWN_STOPS)
"""All that are known; the first that fits counts."""


def known_refusal(submission: str, auth: str, answer: ServiceAnswer, stopped: str | None) -> KnownRefusal | None:
    """Find what an answer means.

    :param submission: smtp or graph
    :param auth: the mechanism of the task, empty for Graph
    :param answer: that decided
    :param stopped: why this side went no further, if it did
    :returns: the first that fits; None for an answer that is not known
    """
    if stopped is not None:
        return next((one for one in KNOWN_REFUSALS if one.ours and one.name == stopped), None)
    return next((one for one in KNOWN_REFUSALS if one.fits(submission, auth, answer)), None)
