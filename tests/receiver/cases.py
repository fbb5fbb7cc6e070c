# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of the receiver tests, by name."""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.receiver import (
    erp_senders,
    odd_records,
    result_matrix,
    standards,
    subdomains,
)
from ansible_collections.mailroom.erp.tests.receiver.case import Case

CASES: dict[str, Case] = {
    case.name: case
    for group in (
        result_matrix.aligned(),
        result_matrix.unaligned(),
        result_matrix.rarer(),
        subdomains.policies(),
        subdomains.alignment(),
        erp_senders.afas_profit(),
        erp_senders.king_erp(),
        erp_senders.compad_bakkerij(),
        erp_senders.a2000erp(),
        erp_senders.exalt(),
        erp_senders.tryton(),
        odd_records.odd_policies(),
        odd_records.odd_senders(),
        standards.newer(),
    )
    for case in group
}
