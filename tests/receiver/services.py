# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending services of these tests, with fictional addresses: what stands in their zones, and what they ask for.

The names in their customers' records are those of the catalogue, where it has one.
"""

from __future__ import annotations

from ansible_collections.mailroom.erp.tests.receiver.keys import key_line

AFAS, AFAS_SPF = "192.0.2.17", "include:spf.afas.online"
OUTLOOK, OUTLOOK_SPF = "192.0.2.33", "include:spf.protection.outlook.com"
SENDGRID = "192.0.2.49"
GOOGLE, GOOGLE_SPF = "192.0.2.65", "include:_spf.google.com"
ZIGGO = "192.0.2.81"
KPN, KPN_SPF = "192.0.2.97", "ip4:192.0.2.97"
ORDERNOW, ORDERNOW_SPF = "192.0.2.98", "ip4:192.0.2.98"
MAILER = "192.0.2.113"
"""A mailing service that uses its own domain wherever it can."""

LISTED, STRANGER = "192.0.2.10", "192.0.2.200"
"""A company's own mail server, and one that nobody knows."""

CATALOGUED = {"afas_online": AFAS_SPF, "microsoft365": OUTLOOK_SPF, "gmail": GOOGLE_SPF}
"""Terms that must be those of the catalogue, by its names."""

LOOKUPS = 11
"""One DNS lookup more than RFC 7208 section 4.6.4 allows."""

ZONES: dict[str, tuple[str, ...]] = {
    "afas.online": (
        'spf TXT "v=spf1 ip4:192.0.2.16/28 -all"',
        'bounces TXT "v=spf1 ip4:192.0.2.16/28 -all"',
        key_line("customer1._domainkey"),
        key_line("customer2._domainkey"),
    ),
    "outlook.com": ('spf.protection TXT "v=spf1 ip4:192.0.2.32/28 -all"',),
    "mail.microsoft": (key_line("selector1-exact-example._domainkey.exact.n-v1.dkim"),),
    "sendgrid.net": (
        '@ TXT "v=spf1 ip4:192.0.2.48/28 -all"',
        'u1234.wl TXT "v=spf1 ip4:192.0.2.49 -all"',
        key_line("s1.domainkey.u1234.wl"),
        key_line("s2.domainkey.u1234.wl"),
        key_line("s1._domainkey"),
    ),
    "google.com": ('_spf TXT "v=spf1 include:_netblocks.google.com ~all"', '_netblocks TXT "v=spf1 ip4:192.0.2.64/28"'),
    "ziggo.nl": ('@ TXT "v=spf1 ip4:192.0.2.80/28 -all"', '_dmarc TXT "v=DMARC1; p=quarantine"'),
    "mailer.example": ('@ TXT "v=spf1 ip4:192.0.2.112/28 -all"', key_line("s1._domainkey")),
    "many.example": tuple(f'l{number} TXT "v=spf1 ip4:203.0.113.{number} -all"' for number in range(LOOKUPS)),
}
"""Lines of master files by zone."""
