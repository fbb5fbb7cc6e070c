# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one table of the kinds of records. A new kind is a file of its own, its options, and one entry here."""

from __future__ import annotations

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.cname_kind import CNAME_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dkim_kind import DKIM_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.dmarc_kind import DMARC_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.kind import Kind, RecordResult
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.mta_sts_kind import MTA_STS_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.null_mx_kind import NULL_MX_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.spf_kind import SPF_KIND
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.tls_rpt_kind import TLS_RPT_KIND

RECORD_KINDS: tuple[Kind, ...] = (
    SPF_KIND,
    DKIM_KIND,
    CNAME_KIND,
    DMARC_KIND,
    NULL_MX_KIND,
    TLS_RPT_KIND,
    MTA_STS_KIND,
)
"""All kinds, in the order in which their records are planned and told."""

RECORD_RESULTS: dict[str, RecordResult] = {result.kind: result for kind in RECORD_KINDS for result in kind.results}
"""How results call the records, by the kind of their recipes."""
