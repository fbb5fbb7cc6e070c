# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boundary as roles see it, before anything of theirs is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.filter.mail_customers import mail_customer_boundary
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.customers.two_customers import (
    ACME,
    JANSEN,
    hostvars_of,
    two_customers,
)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("erp_mail_senders", {"environment": "{{ who }}@jansen.example"}),
        ("erp_mail_envelope_from", "bounces@mail.jansen.example"),
    ],
)
def test_an_environment_that_sends_as_anothers_domain_is_refused(variable: str, value: object, tmp_path: Path) -> None:
    inventory = two_customers()
    own = mail_customer_boundary(hostvars_of(tmp_path, inventory), ACME, ["acme_erp"])
    assert (own["problems"], own["domains"]) == ([], ["acme.example"])
    inventory["all"]["children"]["acme"]["hosts"]["acme_erp"] |= {variable: value, "who": "erp"}
    (problem,) = mail_customer_boundary(hostvars_of(tmp_path, inventory), ACME, ["acme_erp"])["problems"]
    assert "acme_erp needs" in problem and JANSEN in problem
