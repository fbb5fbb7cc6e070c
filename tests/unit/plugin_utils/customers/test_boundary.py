# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boundary of a run for one customer: what is the customer's, and what crosses it, each refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailroom.erp.tests.unit.plugin_utils.customers.two_customers import (
    ACME,
    JANSEN,
    TENANTS,
    drawn,
    two_customers,
)

Group = dict[str, Any]
TOKEN = "token-of-jansen"
SERVER = {"provider": "rfc2136", "server": "192.0.2.1", "key_name": "jansen.", "key_secret": "c2VjcmV0LW9mLWphbnNlbg=="}


def account_of_a_host(acme: Group, _jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_dns_account"]["api_token"] = TOKEN


def account_by_its_name(acme: Group, jansen: Group, _all: Group) -> None:
    jansen["vars"]["mail_dns_account"] = SERVER
    acme["vars"]["mail_dns_account"] = {**SERVER, "key_secret": "{{ lookup('env', 'KEY') }}", "key_name": "Jansen"}


def account_of_a_domain(acme: Group, jansen: Group, _all: Group) -> None:
    zones = {"provider": "zonefile", "path": "{{ inventory_dir }}/jansen/"}
    jansen["vars"]["mail_dns_domains"]["jansen.example"]["dns"] = zones
    acme["vars"]["mail_dns_domains"]["acme.example"]["dns"] = {**zones, "path": "{{ inventory_dir }}/acme/../jansen"}


def tenant(acme: Group, _jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_entra_tenant"] = {"tenant_id": TENANTS[JANSEN].upper(), "client_id": "y"}


def file_of_secrets(acme: Group, jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_entra_customer"] = jansen["vars"]["mail_entra_customer"] = "secrets"


def file_of_secrets_for_all(_acme: Group, _jansen: Group, shared: Group) -> None:
    shared["vars"]["mail_entra_customer"] = "everybody"


def domain_claimed_twice(acme: Group, jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_dns_domains"]["jansen.example"] = {"customer": ACME}


def zone_of_another(acme: Group, _jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_dns_domains"]["acme.example"]["zone"] = "jansen.example"


def domain_below_anothers(acme: Group, _jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_dns_domains"]["shop.jansen.example"] = {"customer": ACME}


def folder(name: str, path: str) -> Callable[[Group, Group, Group], None]:
    def change(acme: Group, _jansen: Group, _all: Group) -> None:
        acme["vars"][name] = path

    return change


def reports_of_all(acme: Group, _jansen: Group, _all: Group) -> None:
    acme["vars"]["mail_reports_paths"] = ["/srv/acme/in", "/srv"]


BREACHES: dict[str, tuple[Callable[[Group, Group, Group], None], tuple[str, ...]]] = {
    "account of a host": (account_of_a_host, ("acme_erp: mail_dns_account:", "jansen_erp (mail_dns_account)")),
    "account by its name": (account_by_its_name, ("acme_erp: mail_dns_account:", "jansen_erp (mail_dns_account)")),
    "account of a domain": (
        account_of_a_domain,
        ("acme.example: mail_dns_domains.acme.example.dns:", "jansen.example (mail_dns_domains.jansen.example.dns)"),
    ),
    "tenant": (tenant, ("acme_erp: mail_entra_tenant", TENANTS[JANSEN], "jansen_erp")),
    "file of secrets": (file_of_secrets, ("acme_erp: mail_entra_customer", "secrets.yml", "jansen_erp")),
    "file of secrets for all": (file_of_secrets_for_all, ("acme_erp: mail_entra_customer", "jansen_erp")),
    "domain claimed twice": (domain_claimed_twice, ("jansen.example: ", "acme_erp", JANSEN)),
    "zone of another": (
        zone_of_another,
        ("acme.example: mail_dns_domains.acme.example.zone", "jansen.example", JANSEN),
    ),
    "domain below another's": (domain_below_anothers, ("shop.jansen.example: ", "the zone of jansen.example", JANSEN)),
    "snapshots": (
        folder("mail_dns_snapshot_dir", "/srv/jansen/snapshots"),
        ("acme_erp: mail_dns_snapshot_dir", "jansen_erp (mail_dns_snapshot_dir)"),
    ),
    "snapshots inside another's folder": (
        folder("mail_dns_snapshot_dir", "/srv/jansen/./archive/acme"),
        ("acme_erp: mail_dns_snapshot_dir", "jansen_erp (mail_reports_archive)"),
    ),
    "archive": (
        folder("mail_reports_archive", "/srv/jansen/archive"),
        ("acme_erp: mail_reports_archive", "jansen_erp (mail_reports_archive)"),
    ),
    "reports that come in": (reports_of_all, ("acme_erp: mail_reports_paths", "jansen_erp")),
    "pages": (
        folder("mail_report_dir", "/srv/jansen/report"),
        ("acme_erp: mail_report_dir", "jansen_erp (mail_report_dir)"),
    ),
    "sheets": (
        folder("erp_mail_output_dir", "{{ inventory_dir }}/jansen"),
        ("acme_erp: erp_mail_output_dir", "jansen_erp (erp_mail_output_dir)"),
    ),
}


def test_nothing_crosses_between_two_who_have_nothing_in_common(tmp_path: Path) -> None:
    boundary = drawn(tmp_path, two_customers())
    assert boundary.problems == ()
    assert boundary.hosts == ("acme_erp",)
    assert boundary.domains == {"acme.example"}
    assert [*boundary.foreign] == ["jansen.example"]
    assert boundary.foreign_below == []
    assert boundary.unseen == ()
    assert boundary.line() == f"This run is for one customer ({ACME}). Left out: 1 host; 1 domain."


@pytest.mark.parametrize("breach", BREACHES)
def test_what_crosses_the_boundary_is_refused_with_both_sides(breach: str, tmp_path: Path) -> None:
    change, told = BREACHES[breach]
    inventory = two_customers()
    groups = inventory["all"]["children"]
    change(groups["acme"], groups["jansen"], inventory["all"])
    (problem,) = drawn(tmp_path, inventory).problems
    text = str(problem)
    assert all(part in text for part in told), text
    assert problem.source == "docs/customers.md"
    assert TOKEN not in text
    assert SERVER["key_secret"] not in text


@pytest.mark.parametrize("given", ["", None, " Acme", 7, ["Acme B.V."], "Acme\n"])
def test_a_run_without_a_proper_name_is_none_for_all(given: Any, tmp_path: Path) -> None:
    (problem,) = drawn(tmp_path, two_customers(), given).problems
    assert "mail_run_customer" in str(problem)


def test_an_unknown_customer_is_helped_by_the_nearest_name_and_no_list(tmp_path: Path) -> None:
    (slip,) = drawn(tmp_path, two_customers(), "acme bv").problems
    assert f"Did you mean {ACME}?" in str(slip)
    (unknown,) = drawn(tmp_path, two_customers(), "Slagerij Smit").problems
    assert ACME not in str(unknown)
    assert JANSEN not in str(unknown)


def test_the_customer_of_a_host_cannot_be_given_to_a_run(tmp_path: Path) -> None:
    (problem,) = drawn(tmp_path, two_customers(), mail_customer=ACME).problems
    assert str(problem).startswith("this run: mail_customer: given on the command line")


def test_a_play_with_hosts_of_others_is_refused(tmp_path: Path) -> None:
    (problem,) = drawn(tmp_path, two_customers(), in_play=("acme_erp", "jansen_erp")).problems
    assert str(problem).startswith(f'jansen_erp: mail_customer "{JANSEN}"')


def test_what_is_declared_for_all_is_nobodys_own(tmp_path: Path) -> None:
    inventory = two_customers()
    shared = {
        "mail_dns_account": {"provider": "cloudflare", "api_token": "{{ vault_token }}"},
        "vault_token": "token-of-the-provider",
        "mail_shared_accounts": ["{{ second_account }}"],
        "second_account": {"provider": "transip", "login": "provider", "private_key": "{{ vault_key }}"},
        "mail_reports_archive": "{{ inventory_dir }}/archive",
        "mail_reports_paths": ["/srv/in"],
        "mail_dns_snapshot_dir": "/srv/snapshots",
        "mail_rotate_credentials": [{"tenant": "{{ another }}"}],
        "mail_report_prometheus": "/srv/figures.prom",
        "mail_entra_tenant": {"tenant_id": TENANTS[ACME], "client_id": "x"},
    }
    inventory["all"]["vars"] = shared
    for name, group in inventory["all"]["children"].items():
        group["vars"] = {key: one for key, one in group["vars"].items() if key not in shared}
        group["vars"] |= {"mail_entra_customer": name}
        group["vars"]["mail_dns_domains"][f"{name}-shop.example"] = {"dns": "{{ second_account }}"}
    boundary = drawn(tmp_path, inventory)
    assert boundary.problems == ()
    assert boundary.domains == {"acme.example", "acme-shop.example"}
    assert boundary.left_to_all == ("mail_reports_paths", "mail_rotate_credentials", "mail_report_prometheus")
    assert boundary.line().endswith(f"Left to a run for all: {', '.join(boundary.left_to_all)}.")


def test_what_one_host_of_ours_shares_with_all_is_left_to_a_run_for_all(tmp_path: Path) -> None:
    """The task that reads it runs once, with the variables of any host of the play."""
    inventory = two_customers()
    inventory["all"]["vars"] = {"mail_reports_paths": ["/srv/in"], "mail_report_prometheus": None}
    acme = inventory["all"]["children"]["acme"]
    own = acme["vars"].pop("mail_reports_paths")
    acme["hosts"]["acme_a"] = {"mail_reports_paths": own}
    assert drawn(tmp_path, inventory).left_to_all == ("mail_reports_paths",)


def test_a_domain_of_another_below_ours_is_known_and_stays(tmp_path: Path) -> None:
    inventory = two_customers()
    jansen = inventory["all"]["children"]["jansen"]["vars"]["mail_dns_domains"]
    jansen["shop.acme.example"] = {"customer": JANSEN}
    boundary = drawn(tmp_path, inventory)
    assert (boundary.problems, boundary.foreign_below) == ((), ["shop.acme.example"])
    (crossing,) = boundary.crossings("acme_erp", None, {"environment": "erp@shop.acme.example"})
    assert "acme_erp needs shop.acme.example" in str(crossing)


def test_domains_of_all_in_one_variable_are_told_apart(tmp_path: Path) -> None:
    inventory = two_customers()
    inventory["all"]["vars"]["all_domains"] = {
        "acme.example": {"customer": ACME},
        "JANSEN.example.": {"customer": JANSEN, "dns": {"provider": "cloudflare", "api_token": "{{ nobody_knows }}"}},
        "holding.example": {"customer": [JANSEN, ACME]},
        "nobodys.example": {},
    }
    for group in inventory["all"]["children"].values():
        group["vars"]["mail_dns_domains"] = "{{ all_domains }}"
    boundary = drawn(tmp_path, inventory)
    assert boundary.problems == ()
    assert boundary.domains == {"acme.example", "holding.example"}
    assert sorted(boundary.foreign) == ["jansen.example", "nobodys.example"]
    assert "says of no customer" in boundary.foreign["nobodys.example"]


@pytest.mark.parametrize(
    ("name", "foreign"),
    [("jansen.example", True), ("mail.jansen.example", True), ("acme.example", False), ("elsewhere.example", False)],
)
def test_an_environment_that_needs_anothers_domain_crosses(name: str, foreign: bool, tmp_path: Path) -> None:
    boundary = drawn(tmp_path, two_customers())
    needs = {"domains": {"acme.example": []}, "dkim": {}, "senders": [{"from": f"erp@{name}"}]}
    found = [str(one) for one in boundary.crossings("acme_erp", needs)]
    assert bool(found) is foreign
    assert all(JANSEN in one and f"acme_erp needs {name}" in one for one in found)
    assert [str(one) for one in boundary.crossings("acme_erp", {"domains": {name: []}})] == found


def test_environments_that_may_send_as_our_domain_are_known_to_be_missing(tmp_path: Path) -> None:
    inventory = two_customers()
    groups = inventory["all"]["children"]
    groups["acme"]["hosts"]["acme_shop"] = {"erp_mail_system": "exalt"}
    groups["jansen"]["hosts"]["jansen_errant"] = {
        "erp_mail_system": "exalt",
        "erp_mail_senders": {"environment": "erp@mail.acme.example"},
    }
    groups["third"] = {"hosts": {"whose": {"erp_mail_system": "exalt", "erp_mail_senders": "{{ lookup('x') }}"}}}
    boundary = drawn(tmp_path, inventory)
    assert boundary.unseen == ("acme_shop", "2 hosts not known to be of this customer"), "reports hold it"


def test_a_host_that_only_a_template_could_tell_is_left_out_and_counted(tmp_path: Path) -> None:
    inventory = two_customers()
    groups = inventory["all"]["children"]
    groups["acme"]["hosts"]["acme_more"] = {"mail_customer": "{{ names.acme }}", "names": {"acme": ACME}}
    groups["third"] = {"hosts": {"riddle": {"mail_customer": "{{ lookup('env', 'WHO') }}"}}}
    boundary = drawn(tmp_path, inventory)
    assert boundary.hosts == ("acme_erp", "acme_more")
    assert "2 hosts, 1 of them because nobody can tell whose it is; 1 domain" in boundary.line()


def test_the_same_template_in_two_groups_is_the_same_account(tmp_path: Path) -> None:
    inventory = two_customers()
    for group in inventory["all"]["children"].values():
        group["vars"]["mail_dns_account"] = {"provider": "cloudflare", "api_token": "{{ lookup('env', 'TOKEN') }}"}
    (problem,) = drawn(tmp_path, inventory).problems
    assert "DNS account" in str(problem)
