# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The six ERP systems, each sending as its vendor's document has it; only domains and addresses are made up."""

from __future__ import annotations

from typing import Any

from ansible_collections.mailroom.erp.tests.receiver.case import Case, Outcome, Signing, domain_entry
from ansible_collections.mailroom.erp.tests.receiver.keys import public_base64
from ansible_collections.mailroom.erp.tests.receiver.services import (
    AFAS,
    AFAS_SPF,
    GOOGLE,
    GOOGLE_SPF,
    KPN,
    KPN_SPF,
    LISTED,
    ORDERNOW,
    ORDERNOW_SPF,
    OUTLOOK,
    OUTLOOK_SPF,
    SENDGRID,
    STRANGER,
    ZIGGO,
)

_PASS, _SPF_ONLY = Outcome("pass", "pass", "pass", "none"), Outcome("pass", "none", "pass", "none")


def _spf(*terms: str) -> dict[str, Any]:
    return {"terms": list(terms)}


def afas_profit() -> list[Case]:
    """AFAS Online with and without its DKIM, a mail server of one's own, SendGrid, Exchange Online."""
    aliases = [{"selector": f"afas{number}", "target": f"customer{number}._domainkey.afas.online"} for number in (1, 2)]
    return [
        Case(
            "afas_online_with_dkim",
            "AFAS Online: its include, and two DKIM CNAMEs to the names of the customer portal",
            "finance@profit.example",
            AFAS,
            _PASS,
            (domain_entry("profit.example", "reject", spf=_spf(AFAS_SPF), dkim=aliases),),
            signing=Signing("profit.example", "afas1"),
            sources=(AFAS_SPF,),
        ),
        Case(
            "afas_online_vendor_bounces",
            "AFAS Online with bounces to the vendor and no DKIM yet: nothing is aligned",
            "finance@profitbounces.example",
            AFAS,
            Outcome("pass", "none", "fail", "quarantine"),
            (domain_entry("profitbounces.example", "quarantine", spf=_spf(AFAS_SPF)),),
            envelope="bounce@bounces.afas.online",
            sources=(AFAS_SPF,),
        ),
        Case(
            "afas_smtp_own_server",
            "transport SMTP by a mail server of one's own",
            "payroll@profitsmtp.example",
            LISTED,
            _SPF_ONLY,
            (domain_entry("profitsmtp.example", "quarantine", spf=_spf(f"ip4:{LISTED}")),),
            helo="mail.profitsmtp.example",
        ),
        Case(
            "afas_smtp_own_server_forgotten",
            "the same, but only AFAS Online was listed",
            "payroll@profitforgot.example",
            LISTED,
            Outcome("softfail", "none", "fail", "quarantine"),
            (domain_entry("profitforgot.example", "quarantine", spf=_spf(AFAS_SPF)),),
            helo="mail.profitforgot.example",
        ),
        Case(
            "afas_sendgrid_authenticated",
            "SendGrid with domain authentication: CNAMEs for the envelope sender and two keys",
            "sales@profitgrid.example",
            SENDGRID,
            _PASS,
            (
                domain_entry(
                    "profitgrid.example",
                    "reject",
                    dkim=[
                        {"selector": name, "target": f"{name}.domainkey.u1234.wl.sendgrid.net"} for name in ("s1", "s2")
                    ],
                    cnames=[{"name": "em1234", "target": "u1234.wl.sendgrid.net"}],
                ),
            ),
            envelope="bounces+1@em1234.profitgrid.example",
            signing=Signing("profitgrid.example"),
        ),
        Case(
            "afas_sendgrid_via",
            'SendGrid without it: "via sendgrid.net", and DMARC cannot align',
            "sales@profitvia.example",
            SENDGRID,
            Outcome("pass", "pass", "fail", "reject"),
            (domain_entry("profitvia.example", "reject", spf=_spf(f"ip4:{LISTED}")),),
            envelope="bounces+1@sendgrid.net",
            signing=Signing("sendgrid.net"),
        ),
        Case(
            "afas_exchange",
            "Exchange Online: Microsoft's include, and a DKIM CNAME that differs per domain",
            "erp@exact.example",
            OUTLOOK,
            _PASS,
            (
                domain_entry(
                    "exact.example",
                    "reject",
                    spf=_spf(OUTLOOK_SPF),
                    dkim=[
                        {
                            "selector": "selector1",
                            "target": "selector1-exact-example._domainkey.exact.n-v1.dkim.mail.microsoft",
                        }
                    ],
                ),
            ),
            signing=Signing("exact.example", "selector1"),
            sources=(OUTLOOK_SPF,),
        ),
    ]


def king_erp() -> list[Case]:
    """SMTP Basisverificatie by an internet provider's relay."""
    return [
        Case(
            "king_isp_relay",
            "the relay of a provider, listed by its address",
            "facturen@king.example",
            KPN,
            _SPF_ONLY,
            (domain_entry("king.example", "reject", spf=_spf(KPN_SPF)),),
            helo="relay.kpnmail.example",
            sources=(KPN_SPF,),
        ),
        Case(
            "king_isp_relay_moved",
            "the provider sends from another address than the one that was listed",
            "facturen@kingmoved.example",
            STRANGER,
            Outcome("softfail", "none", "fail", "reject"),
            (domain_entry("kingmoved.example", "reject", spf=_spf(KPN_SPF)),),
            helo="relay.kpnmail.example",
        ),
    ]


def compad_bakkerij() -> list[Case]:
    """Electronic invoices by Ziggo and KPN, with OrderNow beside them."""
    bakery = domain_entry("bakkerij.example", "reject", spf=_spf(KPN_SPF, ORDERNOW_SPF))
    return [
        Case(
            "compad_ziggo_own_address",
            "the provider's own address, as the document asks: that domain is not ours, nothing is published",
            "mijnbakkerij@ziggo.nl",
            ZIGGO,
            _SPF_ONLY,
        ),
        Case(
            "compad_ziggo_company_address",
            "the company's address by Ziggo, which its record does not list",
            "info@mijnbakkerij.example",
            ZIGGO,
            Outcome("softfail", "none", "fail", "reject"),
            (domain_entry("mijnbakkerij.example", "reject", spf=_spf(ORDERNOW_SPF)),),
        ),
        Case(
            "compad_kpn",
            "KPN and OrderNow in one record: the invoices",
            "info@bakkerij.example",
            KPN,
            _SPF_ONLY,
            (bakery,),
            sources=(KPN_SPF,),
        ),
        Case(
            "compad_ordernow",
            "the same record: the orders of the web shop",
            "bestelling@bakkerij.example",
            ORDERNOW,
            _SPF_ONLY,
            sources=(ORDERNOW_SPF,),
        ),
    ]


def a2000erp() -> list[Case]:
    """Google Workspace, and the unauthenticated mail that Gmail refuses with 5.7.26."""
    return [
        Case(
            "a2000_workspace",
            "Google Workspace: its include and a key of the domain at selector google",
            "accounts@a2000.example",
            GOOGLE,
            _PASS,
            (
                domain_entry(
                    "a2000.example",
                    "reject",
                    spf=_spf(GOOGLE_SPF),
                    dkim=[{"selector": "google", "public_key": public_base64("service")}],
                ),
            ),
            signing=Signing("a2000.example", "google"),
            sources=(GOOGLE_SPF,),
        ),
        Case(
            "a2000_unauthenticated",
            "neither SPF nor DKIM: what Gmail answers with 550 5.7.26",
            "accounts@a2000bare.example",
            STRANGER,
            Outcome("none", "none", "fail", "reject"),
            (domain_entry("a2000bare.example", "reject"),),
        ),
    ]


def exalt() -> list[Case]:
    """An internal mail server, and Outlook.com's."""
    return [
        Case(
            "exalt_internal_server",
            "alerts by the company's own server, listed as a:relay; bounces to the alert mailbox",
            "alerts@exalt.example",
            LISTED,
            _SPF_ONLY,
            (domain_entry("exalt.example", "reject", spf=_spf("a:relay.exalt.example")),),
            {"exalt.example": (f"relay A {LISTED}",)},
            helo="relay.exalt.example",
            sources=("a:relay.exalt.example",),
        ),
        Case(
            "exalt_outlook",
            "Outlook.com's servers with the office's own domain, not signed",
            "alerts@exaltoutlook.example",
            OUTLOOK,
            _SPF_ONLY,
            (domain_entry("exaltoutlook.example", "quarantine", spf=_spf(OUTLOOK_SPF)),),
            sources=(OUTLOOK_SPF,),
        ),
    ]


def tryton() -> list[Case]:
    """trytond signs in to the company's own relay, which sends on from one address; test_tryton.py does it."""

    def by_relay(domain: str, policy: str, about: str, listed: str, answer: Outcome) -> Case:
        entry = domain_entry(f"{domain}.example", policy, spf=_spf(f"ip4:{listed}"))
        name, address = f"tryton_{domain}", f"erp@{domain}.example"
        # a name of the relay that is not in its certificate
        live = {f"{domain}.example": ("relay A 127.0.0.1",)}
        return Case(name, about, address, LISTED, answer, (entry,), live, helo="mail.tryton.example")

    forgotten = ("softfail", "none", "fail")
    return [
        by_relay("tryton", "reject", "the relay is listed", LISTED, _SPF_ONLY),
        by_relay("trytonheld", "quarantine", "another is listed", STRANGER, Outcome(*forgotten, "quarantine")),
        by_relay("trytonlost", "reject", "another is listed", STRANGER, Outcome(*forgotten, "reject")),
    ]
