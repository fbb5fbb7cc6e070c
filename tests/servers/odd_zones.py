# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones as they are found where nobody has kept order for years: odd, but such that name servers load them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ansible_collections.mailroom.erp.tests.servers.server import zone_text

KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAufTW3kecyqu89l/Iin8nTPhqyuM0+EdREfiZWmMePUwZLQWNtPaAG1gBw9x4UKeQjj38"
    "/xtTa/pndel7Z5o/yNu4Ffx5Mvv3zQFtdhz44H2X+nu76Q4e8Qp68Hofd2QxI/UZ7HFBwxLQcdUIiTAbLMV6yl6dxqbjPaCoXIJnpTWS3I6cK/47"
    "jeSZ+q+5nHdkldT8OpMI4gQ4udN6NSvQoHUrwo1DyUikjHGu0WlBSf54IGy3+yQjmSrANvyMN1KNxrRR2VIwk8MUfusKXUUqcXKgyTO8pLfqkHEU"
    "JmvUXihjQxg2iNB+hZeXaDkPXwTwu0GVOrqYIM5hXPAz/CAkQwIDAQAB"
)
"""The public half of an RSA key of 2048 bits, made for this file."""

_SPF = [
    '@ TXT "v=spf1 mx include:spf.protection.outlook.com ~all"',
    '@ TXT "v=spf1 include:_spf.google.com ip4:192.0.2.0/24 -all"',
    '@ TXT "v=spf1 a mx a:mail.other.example include:spf.afas.online ?all"',
    '@ TXT "v=spf1 " "include:spf.protection." "outlook.com" " ip4:198.51.100.7 ip6:2001:db8::/32 ~all"',
    '@ TXT "V=SPF1  MX   ip4:192.0.2.1   ~ALL  "',
    '@ TXT "v=spf1 include:dead-%(n)d.example include:_spf.google.com -all"',
    '@ TXT "v=spf1 redirect=_spf.other.example"',
    '@ TXT "v=spf1 exists:%%{i}._spf.%%{d2} mx -all"\n@ TXT "google-site-verification=x\\;y=\\"z\\""',
    '@ TXT "v=spf1 mx ~all"\n@ TXT "v=spf1 include:_spf.google.com ~all"',
    '@ TXT "v=spf1 ipv4:192.0.2.1 mx ~all"',
    '@ TXT "v=spf1 ip4=192.0.2.1 unknown=modifier exp=why.%%{d} mx ~all"',
    '@ TXT "v=spf1 +all"',
    '@ TXT "v=spf1 -all include:_spf.google.com"',
    '@ TXT "v=spf1 ?include:spf.protection.outlook.com -include:_spf.google.com ~all"',
    '@ TXT "v=spf1 include:SPF.Protection.Outlook.COM. +mx mx MX/24//64 ~all"',
    '@ TXT "v=spf1 ptr ip4:212.54.42.9 ip4:213.75.63.13 ~all"',
    '@ TXT "v=spf1 include:xn--bcher-kva.example a:xn--bcher-kva.example/28 ~all"',
    '@ TXT "v=spf1 mx"',
    '@ TXT "v=spf1"',
    '@ TXT " v=spf1 mx -all"',
    '@ TXT "v=spf1 {{ 7 * 7 }} mx ~all"',
    '@ TXT "v=spf1 mx \\195\\169 ~all"',
    '@ TXT "v=spf1 -all"',
    "",
    " ".join(('@ TXT "v=spf1"', *(f'" ip4:203.0.113.{number}"' for number in range(30)), '" ~all"')),
    " ".join(('@ TXT "v=spf1"', *(f'" include:s{number}.other.example"' for number in range(12)), '" -all"')),
]
_DMARC = [
    '_dmarc TXT "v=DMARC1\\; p=none\\; rua=mailto:dmarc@%(zone)s"',
    '_dmarc TXT "v=DMARC1;p=quarantine;sp=none;pct=50;ri=86400;rua=mailto:a@other-%(n)d.example!10m,mailto:b@%(zone)s"',
    '_dmarc TXT "V=DMARC1; P=Reject; ADKIM=S; aspf=r; fo=1:d:s; "',
    '_dmarc TXT "v=DMARC1; p=none; foo=bar; x-owner={{ owner }}; t=y; np=reject; psd=u"',
    '_dmarc TXT "v=DMARC1; p=none" "; rua=mailto:split@" "%(zone)s"',
    '_dmarc TXT "v=DMARC1; p=none"\n_dmarc TXT "v=DMARC1; p=reject"',
    '_dmarc TXT "v=DMARC1; p=none; p=reject"',
    '_dmarc TXT "v=DMARC1; rua=dmarc@%(zone)s"',
    '_dmarc TXT "v=DMARC1; p=none; rua=https://reports.example/x,mailto:c%%2Cd@%(zone)s; ruf=mailto:e@%(zone)s"',
    '_dmarc TXT " v=DMARC1; p=none"',
    '_dmarc TXT "v=DMARC1; p=whatever; rua=mailto:dmarc@%(zone)s"',
    '_dmarc TXT "v=DMARC1 ; p = none ;; rua = mailto:dmarc@%(zone)s,mailto:dmarc@%(zone)s ; =x"',
    '_dmarc TXT "v=DMARC1; p=reject; sp=reject; rua=mailto:reports@first.odd.example"',
    "_dmarc CNAME _dmarc.vendor-%(n)d.example.",
    "_dmarc NS ns1.vendor.example.",
    "_dmarc CNAME hop1\nhop1 CNAME hop2\nhop2 TXT v=DMARC1\\;p=none",
    "",
]
_DKIM = [
    "selector1._domainkey CNAME selector1-%(dashed)s._domainkey.tenant.onmicrosoft.com.",
    "selector2._domainkey CNAME selector2-%(dashed)s._domainkey.tenant.onmicrosoft.com.",
    "s1._domainkey CNAME s1.domainkey.u%(n)d.wl.sendgrid.net.\nem%(n)d CNAME u%(n)d.wl.sendgrid.net.",
    "s2._domainkey CNAME s2.vendor.example.",
    f'google._domainkey TXT "v=DKIM1; k=rsa; p={KEY[:200]}" "{KEY[200:]}"',
    f'old2019._domainkey TXT "k=rsa\\; t=y:s\\; p={KEY[:150]}" "{KEY[150:]}"',
    '*._domainkey TXT "v=DKIM1; p="',
    'gone._domainkey TXT "v=DKIM1; p="',
    "moved._domainkey NS ns1.vendor.example.",
    "chain._domainkey CNAME chain2\nchain2 CNAME chain3.other.example.",
    'two._domainkey TXT "v=DKIM1; p=AAAA"\ntwo._domainkey TXT "v=DKIM1; p=BBBB"',
    "Big.Dotted._domainkey TXT not-a-key",
    'broken._domainkey TXT "v=DKIM1; p=%%%%"',
]
_MX = [
    "@ MX 10 %(dashed)s.mail.protection.outlook.com.",
    "@ MX 1 ASPMX.L.Google.com.\n@ MX 5 alt1.aspmx.l.google.com.",
    "@ MX 10 mail\n@ MX 20 backup.hoster.example.",
    "@ MX 0 .",
    "@ MX 10 mx.unknown-%(n)d.example.",
    "",
]
_MORE = [
    "* TXT wild",
    '* TXT "v=spf1 -all"',
    "*.sub MX 10 mail",
    "* CNAME %(zone)s.",
    '_mta-sts TXT "v=STSv1; id=20190101;"',
    "_mta-sts CNAME _mta-sts.vendor.example.",
    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@%(zone)s"',
    '_smtp._tls TXT "v=TLSRPTv1;rua=https://tls.example/v1,mailto:t@%(zone)s; x=y"',
    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:a@%(zone)s"\n_smtp._tls TXT "v=TLSRPTv1; rua=mailto:b@%(zone)s"',
    '_smtp._tls TXT "v=TLSRPTv1; rua="',
    "www CNAME %(zone)s.\nautodiscover CNAME autodiscover.outlook.com.",
    "deep NS ns1.vendor.example.",
    "@ CAA 0 issue letsencrypt.org\n_sip._tls SRV 100 1 443 sipdir.online.lync.com.",
]
_PARKED = [
    '@ TXT "v=spf1 -all"',
    '_dmarc TXT "v=DMARC1; p=reject; sp=reject"',
    "@ MX 0 .",
    '*._domainkey TXT "v=DKIM1; p="',
]


def odd_zones(count: int, seed: int = 1) -> dict[str, str]:
    """Make zones, each odd in several ways; every oddity is in one of the first ones.

    :param count: how many
    :param seed: the same gives the same zones
    :returns: apex to the text of its master file
    """
    chance = random.Random(seed)
    return dict(_zone(number, chance) for number in range(count))


def _zone(number: int, chance: random.Random) -> tuple[str, str]:
    international = f"bücher{number}".encode("idna").decode()
    zone = ("first" if number == 0 else international if number % 7 == 6 else f"z{number}") + ".odd.example"
    records = list(_records(number, chance))
    words = {"n": number, "zone": zone, "dashed": zone.replace(".", "-")}
    return zone, zone_text(zone, "\n".join(_with_ttls(one % words, chance) for one in records), ttl=3600)


def _records(number: int, chance: random.Random) -> Iterator[str]:
    if number % 23 == 22:
        yield from _PARKED
        return
    yield "mail A 192.0.2.25\n@ A 192.0.2.80"
    yield _SPF[number % len(_SPF)]
    yield _DMARC[number % len(_DMARC)]
    yield _MX[number % len(_MX)]
    yield from chance.sample(_DKIM, chance.randrange(5))
    yield _DKIM[number % len(_DKIM)] if chance.random() < 0.5 else ""
    wild = chance.sample(_MORE[:4], chance.randrange(2))
    yield from (
        *wild,
        *chance.sample(_MORE[4:6], chance.randrange(2)),
        *chance.sample(_MORE[6:10], chance.randrange(2)),
    )
    yield from chance.sample(_MORE[10:], chance.randrange(3))


def _with_ttls(lines: str, chance: random.Random) -> str:
    """The same lines with a TTL of their own: one for all, as an RRset has one."""
    if not lines or chance.random() < 0.6:
        return lines
    ttl = chance.choice([60, 300, 86400])
    return "\n".join(line.replace(" ", f" {ttl} ", 1) for line in lines.split("\n"))
