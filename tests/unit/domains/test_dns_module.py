# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module returns can be sent, whatever bytes the DNS holds."""

from __future__ import annotations

import json

from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import sendable


def test_bytes_that_are_no_text_are_escaped_and_all_else_stays() -> None:
    foreign = b"v=DMARC1; x=caf\xc3\xa9 \xff".decode("utf-8", "surrogateescape")
    result = {"values": (foreign, "plain"), "deep": [{"text": foreign}], "count": 3, "none": None, "flag": True}
    sent = sendable(result)
    json.dumps(sent, ensure_ascii=False).encode("utf-8")
    escaped = "v=DMARC1; x=café \\xff"
    assert sent == {"values": [escaped, "plain"], "deep": [{"text": escaped}], "count": 3, "none": None, "flag": True}
