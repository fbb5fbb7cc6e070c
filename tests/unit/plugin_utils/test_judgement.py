# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong declarations, each with the environment, field, value, rule and source that its error must name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem
from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue_loader import Catalogue
from ansible_collections.mailroom.erp.plugins.plugin_utils.environment import Declaration, Environment, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.judgement import judge, unknown_variables
from ansible_collections.mailroom.erp.plugins.plugin_utils.secret_variables import Secret

GIVEN = Secret("vault_pw", "vault")
MISSING = Secret("erp_mail_password", "missing")
PROFIT_HELP = "AFAS Profit help"
MANUAL = "Elektronisch facturering, version 1.5, 2015-11-18"
INVENTORY = "docs/inventory.md"

ONLINE: dict[str, Any] = {
    "system": "afas_profit",
    "transport": "afas_online",
    "senders": {"environment": "erp@acme.example", "administrations": {"1": "finance@acme.example"}},
    "own_domains": ["acme.example"],
}
SMTP: dict[str, Any] = {
    **ONLINE,
    "transport": "smtp",
    "service": "own_relay",
    "settings": {"server": "relay.acme.example", "username": "erp"},
    "spf_terms": ["ip4:192.0.2.1"],
    "password": GIVEN,
}
M365: dict[str, Any] = {
    **ONLINE,
    "transport": "smtp",
    "service": "microsoft365",
    "settings": {"username": "erp@acme.example"},
    "password": GIVEN,
}
BAKERY: dict[str, Any] = {
    "system": "compad_bakkerij",
    "service": "ziggo",
    "senders": {"environment": "mijnbakkerij@ziggo.nl"},
    "own_domains": ["mijnbakkerij.example"],
}
GMAIL: dict[str, Any] = {
    **BAKERY,
    "service": "gmail",
    "senders": {"environment": "mijnbakkerij@gmail.com"},
    "settings": {"username": "mijnbakkerij@gmail.com"},
    "password": GIVEN,
}
LONG_NAME = "a" * 65


def judged(base: dict[str, Any], **changes: Any) -> tuple[Environment | None, Findings]:
    return judge(Declaration(environment="env_1", **{"password": MISSING, **base, **changes}), Catalogue())


def smtp_with(**settings: Any) -> dict[str, Any]:
    return {"settings": {**SMTP["settings"], **settings}}


# base, what is changed, then what the one error names: field, value, part of the rule, part of the source
WRONG: list[tuple[str, dict[str, Any], dict[str, Any], str, str | None, str, str]] = [
    ("unknown system", ONLINE, {"system": "afas_profitt"}, "erp_mail_system", "afas_profitt", "no ERP system", INVENTORY),
    ("system is a list", ONLINE, {"system": ["afas_profit"]}, "erp_mail_system", None, "not a list", INVENTORY),
    ("unknown state", ONLINE, {"state": "gone"}, "erp_mail_state", "gone", "present, absent", INVENTORY),
    ("state is yes", ONLINE, {"state": True}, "erp_mail_state", "True", "present, absent", INVENTORY),
    ("no transport", ONLINE, {"transport": None}, "erp_mail_transport", None, "afas_online, smtp", PROFIT_HELP),
    ("transport not made yet", ONLINE, {"transport": "exchange"}, "erp_mail_transport", "exchange", "afas_online, smtp", PROFIT_HELP),
    ("transport of another system", BAKERY, {"transport": "afas_online"}, "erp_mail_transport", "afas_online", "smtp", MANUAL),
    ("no service", BAKERY, {"service": None}, "erp_mail_service", None, "needs the service", MANUAL),
    ("unknown service", BAKERY, {"service": "zigo"}, "erp_mail_service", "zigo", "no service", INVENTORY),
    ("service is a dict", BAKERY, {"service": {"name": "ziggo"}}, "erp_mail_service", None, "not a dict", INVENTORY),
    ("vendor's own server by smtp", SMTP, {"service": "afas_online"}, "erp_mail_service", "afas_online", "does not send through", PROFIT_HELP),
    ("relay for AFAS Online", ONLINE, {"service": "own_relay"}, "erp_mail_service", "own_relay", "does not send through", PROFIT_HELP),
    ("OrderNow as the sender", BAKERY, {"service": "ordernow"}, "erp_mail_service", "ordernow", "does not send through", MANUAL),
    ("AFAS Online in a bakery", BAKERY, {"service": "afas_online"}, "erp_mail_service", "afas_online", "does not send through", MANUAL),
    ("senders are one address", ONLINE, {"senders": "erp@acme.example"}, "erp_mail_senders", None, "dictionary", INVENTORY),
    ("no environment sender", ONLINE, {"senders": {}}, "erp_mail_senders.environment", None, "required", PROFIT_HELP),
    ("no Afzender", BAKERY, {"senders": {}}, "erp_mail_senders.environment", None, "required", MANUAL),
    ("unknown sender kind", ONLINE, {"senders": {**ONLINE["senders"], "company": "a@acme.example"}}, "erp_mail_senders.company", None, "no such sender", PROFIT_HELP),
    ("one address for all administrations", ONLINE, {"senders": {"environment": "erp@acme.example", "administrations": "a@acme.example"}}, "erp_mail_senders.administrations", None, "key to address", PROFIT_HELP),
    ("several environment senders", ONLINE, {"senders": {**ONLINE["senders"], "environment": {"1": "a@acme.example"}}}, "erp_mail_senders.environment", None, "one address", PROFIT_HELP),
    ("no at sign", ONLINE, {"senders": {**ONLINE["senders"], "environment": "acme.example"}}, "erp_mail_senders.environment", "acme.example", "RFC 5321", PROFIT_HELP),
    ("two at signs", ONLINE, {"senders": {**ONLINE["senders"], "environment": "a@b@acme.example"}}, "erp_mail_senders.environment", "a@b@acme.example", "RFC 5321", PROFIT_HELP),
    ("a space", ONLINE, {"senders": {**ONLINE["senders"], "environment": "er p@acme.example"}}, "erp_mail_senders.environment", "er p@acme.example", "no spaces", PROFIT_HELP),
    ("a display name", ONLINE, {"senders": {**ONLINE["senders"], "environment": "ERP <erp@acme.example>"}}, "erp_mail_senders.environment", "ERP <erp@acme.example>", "display name", PROFIT_HELP),
    ("a control character", BAKERY, {"senders": {"environment": "a\n@ziggo.nl"}}, "erp_mail_senders.environment", "a\n@ziggo.nl", "RFC 5321", MANUAL),
    ("a long local part", ONLINE, {"senders": {**ONLINE["senders"], "environment": f"{LONG_NAME}@acme.example"}}, "erp_mail_senders.environment", f"{LONG_NAME}@acme.example", "64 bytes", PROFIT_HELP),
    ("a long label", ONLINE, {"senders": {**ONLINE["senders"], "environment": f"a@{LONG_NAME}.example"}}, "erp_mail_senders.environment", f"a@{LONG_NAME}.example", "RFC 1035", PROFIT_HELP),
    ("a domain of one label", BAKERY, {"senders": {"environment": "bakker@localhost"}}, "erp_mail_senders.environment", "bakker@localhost", "two labels", MANUAL),
    ("an address is a number", ONLINE, {"senders": {**ONLINE["senders"], "employers": {"100": 100}}}, "erp_mail_senders.employers.100", None, "not a int", PROFIT_HELP),
    ("an empty template sender", ONLINE, {"senders": {**ONLINE["senders"], "templates": {"reminder": ""}}}, "erp_mail_senders.templates.reminder", "", "name@domain", PROFIT_HELP),
    ("a sender at a foreign domain", ONLINE, {"senders": {"environment": "erp@other.example", "administrations": {"1": "a@acme.example"}}}, "erp_mail_senders.environment", "erp@other.example", "must own", PROFIT_HELP),
    ("a sender below our domain", ONLINE, {"senders": {**ONLINE["senders"], "templates": {"x": "a@mail.acme.example"}}}, "erp_mail_senders.templates.x", "a@mail.acme.example", "must own", PROFIT_HELP),
    ("settings are a list", ONLINE, {"settings": ["port"]}, "erp_mail_settings", None, "not a list", INVENTORY),
    ("a misspelled setting", SMTP, smtp_with(prot=465), "erp_mail_settings.prot", None, "no such setting", INVENTORY),
    ("a setting of another transport", ONLINE, {"settings": {"port": 465}}, "erp_mail_settings.port", None, "belongs to SMTP", INVENTORY),
    ("a secret among the settings", SMTP, smtp_with(password="hunter2hunter2"), "erp_mail_settings.password", None, "a secret", INVENTORY),
    ("a Dutch secret among the settings", GMAIL, {"settings": {"username": "x", "wachtwoord": "hunter2hunter2"}}, "erp_mail_settings.wachtwoord", None, "a secret", INVENTORY),
    ("port 2525", SMTP, smtp_with(port=2525), "erp_mail_settings.port", "2525", "465, 587, 25", PROFIT_HELP),
    ("port is text", SMTP, smtp_with(port="smtps"), "erp_mail_settings.port", "smtps", "convert to int", PROFIT_HELP),
    ("port is yes", SMTP, smtp_with(port=True), "erp_mail_settings.port", "True", "a number", PROFIT_HELP),
    ("Office 365 on 465", M365, {"settings": {"username": "a", "port": 465}}, "erp_mail_settings.port", "465", "only port 587", PROFIT_HELP),
    ("Gmail on 25", M365, {"service": "gmail", "settings": {"username": "a", "port": 25}}, "erp_mail_settings.port", "25", "only port 587", PROFIT_HELP),
    ("Office 365 by its host name", SMTP, smtp_with(server="smtp.office365.com", port=465), "erp_mail_settings.port", "465", "only port 587", PROFIT_HELP),
    ("enforce is no yes or no", SMTP, smtp_with(enforce_secure_communication="maybe"), "erp_mail_settings.enforce_secure_communication", "maybe", "bool", PROFIT_HELP),
    ("no server of one's own", SMTP, {"settings": {"username": "erp"}}, "erp_mail_settings.server", None, "required", PROFIT_HELP),
    ("server with a scheme", SMTP, smtp_with(server="smtp://relay"), "erp_mail_settings.server", "smtp://relay", "without a scheme", PROFIT_HELP),
    ("server with a port", SMTP, smtp_with(server="relay.acme.example:25"), "erp_mail_settings.server", "relay.acme.example:25", "RFC 1035", PROFIT_HELP),
    ("server is a list", SMTP, smtp_with(server=["a", "b"]), "erp_mail_settings.server", None, "not a list", PROFIT_HELP),
    ("no username for Office 365", M365, {"settings": {}}, "erp_mail_settings.username", None, "needs a username", PROFIT_HELP),
    ("no password for Office 365", M365, {"password": MISSING}, "erp_mail_password", None, "no password", PROFIT_HELP),
    ("no verification for Office 365", M365, {"settings": {"verification": False}}, "erp_mail_settings.verification", "off", "only after verification", MANUAL),
    ("no key for SendGrid", M365, {"service": "sendgrid", "password": MISSING, "settings": {}}, "erp_mail_password", None, "no password", PROFIT_HELP),
    ("username without verification", SMTP, smtp_with(verification=False), "erp_mail_settings.username", "erp", "only with verification", PROFIT_HELP),
    ("terms are text", SMTP, {"spf_terms": "ip4:192.0.2.1"}, "erp_mail_spf_terms", None, "a list", INVENTORY),
    ("a term is no address", SMTP, {"spf_terms": ["ip4:192.0.2.256"]}, "erp_mail_spf_terms", "ip4:192.0.2.256", "RFC 7208", INVENTORY),
    ("a term is all", SMTP, {"spf_terms": ["-all"]}, "erp_mail_spf_terms", "-all", "no all", INVENTORY),
    ("a term fails servers", SMTP, {"spf_terms": ["-ip4:192.0.2.1"]}, "erp_mail_spf_terms", "-ip4:192.0.2.1", "no qualifier", INVENTORY),
    ("a term is a number", SMTP, {"spf_terms": [1]}, "erp_mail_spf_terms", "1", "not a int", INVENTORY),
    ("a term is a whole record", SMTP, {"spf_terms": ["v=spf1 mx"]}, "erp_mail_spf_terms", "v=spf1 mx", "RFC 7208", INVENTORY),
    ("domains are text", ONLINE, {"own_domains": "acme.example"}, "mail_dns_domains", None, "dictionary", INVENTORY),
    ("a domain with a space", ONLINE, {"own_domains": ["acme.example", "ac me.example"]}, "mail_dns_domains", "ac me.example", "RFC 1035", INVENTORY),
    ("port 0", BAKERY, {"settings": {"port": 0}}, "erp_mail_settings.port", "0", "1 to 65535", MANUAL),
    ("port 70000", BAKERY, {"settings": {"port": 70000}}, "erp_mail_settings.port", "70000", "1 to 65535", MANUAL),
    ("cc is no address", BAKERY, {"settings": {"cc": "info"}}, "erp_mail_settings.cc", "info", "name@domain", MANUAL),
    ("bcc is two addresses", BAKERY, {"settings": {"bcc": "a@b.example, c@d.example"}}, "erp_mail_settings.bcc", "a@b.example, c@d.example", "RFC 5321", MANUAL),
    ("text of two lines", BAKERY, {"settings": {"text_invoices": "a\nb"}}, "erp_mail_settings.text_invoices", "a\nb", "one line", MANUAL),
    ("Gmail without a username", GMAIL, {"settings": {}}, "erp_mail_settings.username", None, "requires a username", MANUAL),
    ("Gmail without a password", GMAIL, {"password": MISSING}, "erp_mail_password", None, "requires a password", MANUAL),
    ("ISP with a username only", BAKERY, {"settings": {"username": "x"}}, "erp_mail_password", None, "requires a password", MANUAL),
    ("ISP with a password only", BAKERY, {"password": GIVEN}, "erp_mail_settings.username", None, "no use", MANUAL),
    ("a sender of OrderNow without OrderNow", BAKERY, {"senders": {**BAKERY["senders"], "ordernow": "a@mijnbakkerij.example"}}, "erp_mail_senders.ordernow", "a@mijnbakkerij.example", "not switched on", MANUAL),
    ("ordernow is no yes or no", BAKERY, {"settings": {"ordernow": "perhaps"}}, "erp_mail_settings.ordernow", "perhaps", "bool", MANUAL),
]


@pytest.mark.parametrize(
    ("base", "changes", "where", "value", "rule", "source"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_declaration_gives_one_error_that_names_all_of_it(
    base: dict[str, Any], changes: dict[str, Any], where: str, value: str | None, rule: str, source: str
) -> None:
    _environment, findings = judged(base, **changes)
    assert [(problem.where, problem.value) for problem in findings.errors] == [(where, value)]
    error = findings.errors[0]
    assert rule in error.rule
    assert source in error.source
    assert error.way_out
    assert str(error).startswith(f"env_1: {where}")
    assert "hunter2" not in str(error)


def test_there_are_enough_wrong_declarations() -> None:
    assert len({row[0] for row in WRONG}) == len(WRONG) >= 45


@pytest.mark.parametrize("base", [ONLINE, SMTP, M365, BAKERY, GMAIL], ids=["online", "smtp", "m365", "isp", "gmail"])
def test_a_right_declaration_has_no_errors(base: dict[str, Any]) -> None:
    environment, findings = judged(base)
    assert findings.errors == []
    assert environment is not None


def test_several_errors_are_reported_together() -> None:
    _environment, findings = judged(
        SMTP, senders={"environment": "nobody"}, settings={"username": "a", "port": 1, "server": "a b", "prot": 1}, spf_terms=["all"]
    )
    assert [problem.where for problem in findings.errors] == [
        "erp_mail_spf_terms",
        "erp_mail_senders.environment",
        "erp_mail_settings.port",
        "erp_mail_settings.server",
        "erp_mail_settings.prot",
    ]


WARNED: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("no sender per administration", ONLINE, {"senders": {"environment": "erp@acme.example"}}, "erp_mail_senders.administrations", "advised"),
    ("no-reply", ONLINE, {"senders": {**ONLINE["senders"], "environment": "no-reply@acme.example"}}, "erp_mail_senders.environment", "loses the replies"),
    ("enforce off", SMTP, smtp_with(enforce_secure_communication=False), "erp_mail_settings.enforce_secure_communication", "interception"),
    ("address under enforce", SMTP, smtp_with(server="192.0.2.7"), "erp_mail_settings.server", "certificate"),
    ("relay open to all", SMTP, {"settings": {"server": "relay.acme.example"}, "password": MISSING}, "erp_mail_settings.verification", "IP filter"),
    ("relay with unknown terms", SMTP, {"spf_terms": None}, "erp_mail_spf_terms", "unknown"),
    ("password for Office 365", M365, {}, "erp_mail_service", "end of December 2026"),
    ("SendGrid", M365, {"service": "sendgrid", "settings": {}}, "erp_mail_service", "DMARC cannot align"),
    ("company's sender by ISP", BAKERY, {"senders": {"environment": "info@mijnbakkerij.example"}}, "erp_mail_senders.environment", "likely not relayed"),
    ("foreign sender by ISP", BAKERY, {"senders": {"environment": "info@other.example"}}, "erp_mail_senders.environment", "likely not relayed"),
    ("unknown ISP domain", BAKERY, {"service": "kpn", "senders": {"environment": "a@kpn.example"}}, "erp_mail_senders.environment", "nothing is planned"),
    ("Gmail's limit", GMAIL, {}, "erp_mail_service", "99 messages"),
    ("Gmail in plain text", GMAIL, {"settings": {"username": "a", "security": "standaard"}}, "erp_mail_settings.security", "unprotected"),
    ("a security nobody named", BAKERY, {"settings": {"security": "SSL"}}, "erp_mail_settings.security", "names only"),
    ("Gmail on port 25", GMAIL, {"settings": {"username": "a", "port": 25}}, "erp_mail_settings.port", "587"),
    ("OrderNow sends as who knows", BAKERY, {"settings": {"ordernow": True}}, "erp_mail_senders.ordernow", "unknown"),
]


@pytest.mark.parametrize(("base", "changes", "where", "rule"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED])
def test_what_works_badly_is_warned_about(base: dict[str, Any], changes: dict[str, Any], where: str, rule: str) -> None:
    _environment, findings = judged(base, **changes)
    assert findings.errors == []
    assert [problem for problem in findings.warnings if problem.where == where and rule in problem.rule]


def test_the_example_of_the_bakery_is_not_warned_about() -> None:
    assert judged(BAKERY)[1].warnings == []


def test_an_absent_environment_needs_no_password_and_is_not_warned_about() -> None:
    environment, findings = judged(M365, state="absent", password=MISSING, settings={})
    assert findings.all == []
    assert environment is not None and environment.state == "absent"


def test_the_service_fills_what_the_inventory_leaves_out() -> None:
    environment, _findings = judged(M365, service="sendgrid", settings={})
    assert environment is not None
    wanted = {"server": "smtp.sendgrid.net", "port": 465, "verification": True, "username": "apikey"}
    assert {name: environment.values[name] for name in wanted} == wanted


def test_office_365_gets_its_only_port() -> None:
    environment, _findings = judged(M365)
    assert environment is not None and environment.values["port"] == 587


@pytest.mark.parametrize(("service", "security"), [("ziggo", "standaard"), ("gmail", "TLS")])
def test_the_bakery_s_security_follows_the_service(service: str, security: str) -> None:
    environment, _findings = judged(GMAIL, service=service)
    assert environment is not None and environment.values["security"] == security


def test_internationalised_domains_are_compared_as_a_labels() -> None:
    sender = {"environment": "bakker@bäckerei.example"}
    environment, findings = judged(GMAIL, senders=sender, own_domains=["BÄCKEREI.example."])
    assert findings.errors == []
    assert environment is not None and environment.is_ours(environment.senders[0].domain)
    assert not [problem for problem in findings.warnings if "nothing is planned" in problem.rule]


def test_misspelled_variables_are_errors_without_their_values() -> None:
    findings = Findings("env_1")
    unknown_variables({"erp_mail_sender": "x", "erp_mail_senders": 1, "mail_dns_acount": 2, "other": 3}, findings)
    assert [(problem.where, problem.value) for problem in findings.errors] == [
        ("erp_mail_sender", None),
        ("mail_dns_acount", None),
    ]
    assert "Did you mean erp_mail_senders?" in str(findings.errors[0])


def test_a_problem_is_one_line() -> None:
    _environment, findings = judged(BAKERY, settings={"text_invoices": "a\nb"})
    assert all(isinstance(problem, Problem) and "\n" not in str(problem) for problem in findings.errors)
