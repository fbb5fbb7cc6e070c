# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two companies whose policies are to become stricter: what they declare, and what is sent in their names."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome, Signing
from ansible_collections.mailroom.erp.tests.receiver.keys import public_base64
from ansible_collections.mailroom.erp.tests.receiver.postfix import REPORTS
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED, MAILER

SOUND, BROKEN = "loopsound.example", "loopbroken.example"
"""One whose declared sender passes, and one whose declared sender fails."""

LOOP_ZONES: dict[str, tuple[str, ...]] = {SOUND: (), BROKEN: ()}
"""Their zones as they begin."""

_PASS, _FAIL = Outcome("pass", "pass", "pass", "none"), Outcome("pass", "pass", "fail", "none")

MESSAGES = [
    Case("sound", "as declared", f"erp@{SOUND}", LISTED, _PASS, signing=Signing(SOUND, "relay")),
    Case(
        "newsletter",
        "nobody has declared it: a mailing service that uses its own domain",
        f"news@{SOUND}",
        MAILER,
        _FAIL,
        envelope="bounces@mailer.example",
        signing=Signing("mailer.example"),
    ),
    Case(
        "broken",
        "declared, but its relay has another key than the DNS, and takes the bounces of its provider",
        f"erp@{BROKEN}",
        LISTED,
        Outcome("none", "fail", "fail", "none"),
        envelope="bounces@provider.example",
        signing=Signing(BROKEN, "relay", key="other"),
    ),
]
"""What a receiver gets; the answers are those to a policy of p=none."""


def _environment(domain: str) -> dict[str, Any]:
    """An ERP that hands its mail to the company's own relay, which signs."""
    return {
        "erp_mail_system": "afas_profit",
        "erp_mail_transport": "smtp",
        "erp_mail_service": "own_relay",
        "erp_mail_senders": {"environment": f"erp@{domain}"},
        "erp_mail_settings": {"server": f"relay.{domain}", "username": "erp"},
        "erp_mail_spf_terms": [f"ip4:{LISTED}"],
        "erp_mail_dkim": {domain: [{"selector": "relay", "public_key": public_base64("service")}]},
        "erp_mail_password": "{{ vault_relay_password }}",
    }


def loop_inventory(account: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The inventory of both companies.

    :param account: of the DNS
    :param more: variables of all hosts
    """
    policy = {"mode": "managed", "target": "reject", "rua": [REPORTS]}
    shared = {
        "ansible_connection": "local",
        "mail_dns_account": account,
        "mail_dns_complete": True,
        "mail_dns_domains": {domain: {"services": [], "dmarc": policy} for domain in (SOUND, BROKEN)},
        "mail_reports_archive": "{{ inventory_dir }}/archive",
        "vault_relay_password": "canary-relay-password",
    }
    hosts = {"sound_profit": _environment(SOUND), "broken_profit": _environment(BROKEN)}
    return {"all": {"vars": {**shared, **more}, "hosts": hosts}}
