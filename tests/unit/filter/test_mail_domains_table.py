# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that shows for each domain its records before and after, and what they cost."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mailroom.erp.plugins.filter.mail_domains_table import FilterModule, mail_domains_table


def entry(before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
    """One domain as mail_domains returns it."""
    lookups = {"total": 2, "void": 0, "terms": {}, "indeterminate": [], **more}
    spf = {"record": {"before": before, "after": after}, "lookups": lookups}
    return {"domain": "acme.example", "changed": before != after, "spf": spf}


def test_the_table_shows_every_domain_and_counts_them() -> None:
    domains = [entry(None, "v=spf1 mx ~all"), {**entry("v=spf1 -all", "v=spf1 -all"), "domain": "b.example"}]
    assert mail_domains_table(domains) == (
        "acme.example  (changed)\n"
        "  before    (no SPF record)\n"
        "  after     v=spf1 mx ~all\n"
        "  lookups   2 of 10, void 0 of 2\n"
        "\n"
        "b.example  (unchanged)\n"
        "  before    v=spf1 -all\n"
        "  after     v=spf1 -all\n"
        "  lookups   2 of 10, void 0 of 2\n"
        "\n"
        "2 domains, 1 changed"
    )


def test_long_records_are_broken_between_terms_only() -> None:
    record = "v=spf1 " + " ".join(f"ip4:192.0.2.{number}" for number in range(60)) + " -all"
    lines = mail_domains_table([entry(record, record)], width=60).splitlines()
    assert max(len(line) for line in lines) <= 60
    start, stop = 1, next(i for i, line in enumerate(lines) if line.startswith("  after"))
    assert " ".join(" ".join(lines[start:stop]).split()) == f"before {record}"


def test_a_term_longer_than_the_line_stays_whole() -> None:
    term = "include:" + "a-very-long-label." * 5 + "example"
    assert f" {term}\n" in mail_domains_table([entry("v=spf1 -all", f"v=spf1 {term} -all")], width=40)


def test_macros_make_the_cost_a_lower_bound() -> None:
    table = mail_domains_table([entry("v=spf1 -all", "v=spf1 -all", indeterminate=["exists:%{i}.x.example"])])
    assert "at least 2 of 10" in table


def test_a_record_that_was_not_counted_has_no_cost() -> None:
    unlooked = entry("v=spf1 -all", None)
    unlooked["spf"]["lookups"] = None
    assert "  lookups   -\n" in mail_domains_table([unlooked])


def test_a_table_of_no_domains_counts_none() -> None:
    assert mail_domains_table([]) == "0 domains, 0 changed"


@pytest.mark.parametrize("wrong", [["acme.example"], [{}], 5, [{"domain": "a", "changed": True, "spf": {}}]])
def test_another_shape_is_refused(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="wants the `domains` of a mail_domains result"):
        mail_domains_table(wrong)


def test_a_width_that_fits_nothing_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="width 20"):
        mail_domains_table([], width=20)


def test_the_filter_has_its_public_name() -> None:
    assert FilterModule().filters() == {"mail_domains_table": mail_domains_table}


def record(name: str, before: str | None, after: str | None, elsewhere: str | None = None) -> dict[str, Any]:
    """One record as mail_domains returns it."""
    return {"name": name, "record": {"before": before, "after": after}, "managed_elsewhere": elsewhere}


def test_every_kind_of_record_that_was_asked_for_is_shown() -> None:
    domain = {
        "domain": "acme.example",
        "changed": True,
        "spf": None,
        "dkim": [record("s1._domainkey.acme.example", None, "s1.service.example")],
        "dmarc": record("_dmarc.acme.example", "v=DMARC1; p=none", "v=DMARC1; p=none"),
        "reports": [record("acme.example._report._dmarc.x.example", None, None, "x.example")],
    }
    assert mail_domains_table([domain]) == (
        "acme.example  (changed)\n"
        "  DKIM      s1._domainkey.acme.example: s1.service.example (was nothing)\n"
        "  DMARC     _dmarc.acme.example: v=DMARC1; p=none\n"
        "  reports   acme.example._report._dmarc.x.example: nothing (managed elsewhere: x.example)\n"
        "\n"
        "1 domain, 1 changed"
    )


def test_what_says_who_receives_mail_is_shown() -> None:
    policy = "version: STSv1\r\nmode: testing\r\nmx: mx.acme.example\r\nmax_age: 604800\r\n"
    receiving = {
        "domain": "acme.example",
        "changed": True,
        "spf": None,
        "null_mx": None,
        "tls_rpt": record("_smtp._tls.acme.example", None, None, "the alias target tls.example"),
        "mta_sts": {**record("_mta-sts.acme.example", "v=STSv1; id=1;", "v=STSv1; id=2;"), "policy": policy},
    }
    parked = {"domain": "b.example", "changed": False, "spf": None, "null_mx": record("b.example", "0 .", "0 .")}
    assert mail_domains_table([receiving, parked]) == (
        "acme.example  (changed)\n"
        "  TLSRPT    _smtp._tls.acme.example: nothing (managed elsewhere: the alias target tls.example)\n"
        "  MTA-STS   _mta-sts.acme.example: v=STSv1; id=2; (was v=STSv1; id=1;)\n"
        "\n"
        "b.example  (unchanged)\n"
        "  null MX   b.example: 0 .\n"
        "\n"
        "2 domains, 1 changed"
    )
