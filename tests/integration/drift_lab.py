# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain for each kind of drift: how it is declared, what somebody changes by hand, and what verify must say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.mailroom.erp.tests.integration.estate import ZONE
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import encoded_key, new_public_key
from cryptography.hazmat.primitives.asymmetric import rsa

KEYS = [f"v=DKIM1; k=rsa; p={new_public_key(2048)}" for number in range(2)]
WEAK = f"v=DKIM1; k=rsa; p={encoded_key(rsa.RSAPublicNumbers(65537, 2**511 + 111).public_key())}"
SITE = "mailroom.erp.site"
SERVICE = "spf.afas.online"
_DMARC = {"policy": "quarantine", "rua": ["dmarc@{domain}"]}


@dataclass(frozen=True, slots=True)
class Drift:
    """One kind. ``replace`` are texts of the zone file with what takes their place, ``append`` lines that are added,
    and ``elsewhere`` the same of the zones that others have. ``risk`` and ``cause`` are what is to be told; None:
    nothing but a thing to be confirmed. ``command``: the playbook that brings it back, None for none."""

    name: str
    risk: str | None
    cause: str
    replace: tuple[tuple[str, str], ...] = ()
    append: str = ""
    elsewhere: tuple[tuple[str, str], ...] = ()
    command: str | None = SITE
    declared: dict[str, Any] = field(default_factory=dict)
    zone: str = ""

    @property
    def domain(self) -> str:
        return f"{self.name.replace('_', '-')}.example"


def _key(text: str) -> str:
    parts = [text[start : start + 255] for start in range(0, len(text), 255)]
    return " ".join(f'"{part}"' for part in parts)


OWN_KEY = {"dkim": [{"selector": "own", "public_key": KEYS[0].partition("p=")[2]}]}
ALIAS = {"dkim": [{"selector": "s1", "target": "s1.{domain}.keys.example"}]}
_OWN = f"own._domainkey\tIN\tTXT\t{_key(KEYS[0])}"
_SERVICE_KEY = "s1.{domain} IN TXT " + _key(KEYS[0])
_INCLUDE = f" include:{SERVICE}"

DRIFTS = (
    Drift(
        "untouched",
        None,
        "",
        command=None,
        declared={"dmarc": {"mode": "managed", "target": "reject", "rua": ["dmarc@{domain}"]}},
    ),
    # SPF
    Drift("term_removed", "drift", "a term was removed: include:spf.afas.online", ((_INCLUDE, ""),)),
    Drift("second_spf", "drift", "a second SPF record stands beside it", append='@ IN TXT "v=spf1 a ~all"'),
    Drift("broken_spf", "drift", "the record was broken", ((_INCLUDE, " include::bad"),)),
    Drift("spf_gone", "drift", "the record is gone", (('@ IN TXT "v=spf1 mx include:spf.afas.online ~all"\n', ""),)),
    Drift("spf_ttl", "drift", "the TTL was changed: 60 s", (("@ IN TXT", "@ 60 IN TXT"),), declared={"ttl": 3600}),
    Drift(
        "spf_forbidden",
        "drift",
        "a term stands there that shall not: ip4:203.0.113.9",
        ((_INCLUDE, f"{_INCLUDE} ip4:203.0.113.9"),),
        declared={"spf": {"absent_terms": ["ip4:203.0.113.9"]}},
    ),
    Drift(
        "spf_end",
        "drift",
        "its end was changed: ?all, where ~all is declared",
        (("~all", "?all"),),
        declared={"spf": {"all": "~all"}},
    ),
    Drift(
        "spf_exclusive",
        "drift",
        "a term stands there that shall not: ip4:203.0.113.7",
        ((_INCLUDE, f"{_INCLUDE} ip4:203.0.113.7"),),
        declared={"spf": {"exclusive": True, "terms": ["mx"]}},
    ),
    Drift(
        "spf_added",
        None,
        "it was changed since the last run",
        ((_INCLUDE, f"{_INCLUDE} ip4:203.0.113.8"),),
        command=None,
    ),
    Drift(
        "spf_grown",
        "due",
        "an include of the SPF record grew: it costs 4 lookups of 10, 3 in the last run",
        elsewhere=(("grown IN TXT", 'grown IN TXT "v=spf1 include:more.services.example ~all" ;'),),
        command=None,
        declared={"spf": {"terms": ["include:grown.services.example"]}},
    ),
    Drift(
        "spf_burst",
        "fail",
        "it costs 13 DNS lookups, at most 10 are allowed",
        elsewhere=(("burst IN TXT", f'burst IN TXT "v=spf1 {"a:more.services.example " * 10}~all" ;'),),
        command=None,
        declared={"spf": {"terms": ["include:burst.services.example"]}},
    ),
    # DMARC
    Drift("policy_loosened", "drift", "the policy was loosened: p=none", (("p=quarantine", "p=none"),)),
    Drift("second_dmarc", "drift", "a second DMARC record", append='_dmarc IN TXT "v=DMARC1; p=none"'),
    Drift(
        "rua_removed",
        "drift",
        "rua=mailto:dmarc@rua-removed.example was removed",
        (("; rua=mailto:dmarc@rua-removed.example", ""),),
    ),
    Drift(
        "sp_loosened",
        "drift",
        "the policy was loosened: sp=none",
        (("sp=quarantine", "sp=none"),),
        declared={"dmarc": {**_DMARC, "subdomain_policy": "quarantine"}},
    ),
    Drift("dmarc_gone", "drift", "the record is gone", (("_dmarc\tIN\tTXT", "_dmarc-old\tIN\tTXT"),)),
    Drift("broken_dmarc", "drift", "p= was changed", (("p=quarantine", "p=maybe"),)),
    Drift(
        "dmarc_ttl", "drift", "the TTL was changed: 30 s", (("_dmarc\tIN", "_dmarc\t30\tIN"),), declared={"ttl": 3600}
    ),
    # DKIM
    Drift(
        "key_replaced",
        "drift",
        "the key was replaced by another one",
        ((_OWN, f"own._domainkey IN TXT {_key(KEYS[1])}"),),
        declared=OWN_KEY,
    ),
    Drift(
        "key_revoked",
        "drift",
        "the key was revoked",
        ((_OWN, 'own._domainkey IN TXT "v=DKIM1; p="'),),
        declared=OWN_KEY,
    ),
    Drift("key_gone", "drift", "the record is gone", ((_OWN, ""),), declared=OWN_KEY),
    Drift("second_key", "drift", "a second key", append=f"own._domainkey IN TXT {_key(KEYS[1])}", declared=OWN_KEY),
    Drift(
        "alias_moved",
        "drift",
        "the alias was moved: it leads to s9.keys.example",
        (("s1.alias-moved.example.keys.example", "s9.keys.example"),),
        declared=ALIAS,
    ),
    Drift(
        "alias_to_key",
        "drift",
        "a CNAME stands alone, and there is a TXT record at this name",
        (("IN\tCNAME\ts1.alias-to-key.example.keys.example.", f"IN TXT {_key(KEYS[1])}"),),
        declared=ALIAS,
    ),
    Drift(
        "service_revoked",
        "fail",
        "p= is empty: the key has been revoked",
        elsewhere=((_SERVICE_KEY, 's1.{domain} IN TXT "v=DKIM1; p="'),),
        command=None,
        declared=ALIAS,
    ),
    Drift(
        "service_weak",
        "fail",
        "512",
        elsewhere=((_SERVICE_KEY, f"s1.{{domain}} IN TXT {_key(WEAK)}"),),
        command=None,
        declared=ALIAS,
    ),
    Drift(
        "service_changed",
        None,
        "another DKIM key stands there than in the last run",
        elsewhere=((_SERVICE_KEY, f"s1.{{domain}} IN TXT {_key(KEYS[1])}"),),
        command=None,
        declared=ALIAS,
    ),
    # the other kinds
    Drift(
        "takes_mail",
        "drift",
        "the domain receives mail",
        (("@\tIN\tMX\t0 .", "@ IN MX 10 ns"),),
        declared={"null_mx": {}},
    ),
    Drift(
        "tls_reports",
        "drift",
        "rua= was changed",
        (("mailto:tls@", "mailto:other@"),),
        declared={"tls_rpt": {"rua": ["tls@{domain}"]}},
    ),
    Drift(
        "moved_sts",
        "drift",
        "the record is gone",
        (("_mta-sts\tIN", "_old\tIN"),),
        declared={"mta_sts": {"mode": "testing", "mx": ["ns.{domain}"]}},
    ),
    Drift(
        "flattened",
        "drift",
        "the addresses of flattened includes moved: flat.services.example",
        elsewhere=(("flat IN TXT", 'flat IN TXT "v=spf1 ip4:198.51.100.77 ~all" ;'),),
        declared={"spf": {"terms": ["include:flat.services.example"]}, "flatten": ["flat.services.example"]},
    ),
)


def in_domain(value: Any, domain: str) -> Any:
    """A declaration with its own domain in the place of ``{domain}``."""
    if isinstance(value, str):
        return value.replace("{domain}", domain)
    if isinstance(value, dict):
        return {key: in_domain(one, domain) for key, one in value.items()}
    return [in_domain(one, domain) for one in value] if isinstance(value, list) else value


def make_lab(folder: Path) -> None:
    """Write the zones of all domains before anything was made, and those of the services."""
    for part in ("zones", "world"):
        (folder / part).mkdir()
    for one in DRIFTS:
        mx = "" if "null_mx" in one.declared else "@ IN MX 10 ns\n"
        records = f'@ IN TXT "v=spf1 mx ~all"\n{mx}{one.zone}'
        (folder / "zones" / f"{one.domain}.zone").write_text(ZONE.format(zone=one.domain) + records, encoding="utf-8")
    services = "".join(
        f'{name} IN TXT "v=spf1 ip4:198.51.100.{number} ~all"\n'
        for number, name in enumerate(("grown", "burst", "flat", "more"))
    )
    keys = "".join(f"{_SERVICE_KEY.format(domain=one.domain)}\n" for one in DRIFTS if one.declared is ALIAS)
    keys += f"s9 IN TXT {_key(KEYS[0])}\n"
    world = {
        "afas.online": 'spf IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n',
        "services.example": services + "more IN A 192.0.2.1\n",
        "keys.example": keys,
    }
    for zone, records in world.items():
        (folder / "world" / f"{zone}.zone").write_text(ZONE.format(zone=zone) + records, encoding="utf-8")


def lab_inventory() -> dict[str, Any]:
    """An environment for each domain, which sends as it."""
    domains = {one.domain: in_domain({"services": [], "dmarc": _DMARC, **one.declared}, one.domain) for one in DRIFTS}
    hosts = {
        f"erp_{one.name}": {
            "erp_mail_system": "afas_profit",
            "erp_mail_transport": "afas_online",
            "erp_mail_senders": {"environment": f"erp@{one.domain}"},
        }
        for one in DRIFTS
    }
    shared = {
        "ansible_connection": "local",
        "mail_dns_account": {"provider": "zonefile", "path": "{{ inventory_dir }}/zones"},
        "mail_dns_resolver": {"zonefiles": ["{{ inventory_dir }}/zones", "{{ inventory_dir }}/world"]},
        "mail_dns_complete": True,
        "mail_reports_archive": "{{ inventory_dir }}/archive",
        "mail_reports_paths": ["{{ inventory_dir }}/reports"],
        "mail_dns_domains": domains,
    }
    return {"all": {"vars": shared, "hosts": hosts}}


def let_drift(folder: Path) -> None:
    """Change by hand what each kind changes."""
    for one in DRIFTS:
        _edit(folder / "zones" / f"{one.domain}.zone", one.replace, one.append)
        for before, after in one.elsewhere:
            pair = (before.replace("{domain}", one.domain), after.replace("{domain}", one.domain))
            (file,) = [file for file in (folder / "world").iterdir() if pair[0] in file.read_text(encoding="utf-8")]
            _edit(file, (pair,), "")


def _edit(file: Path, pairs: tuple[tuple[str, str], ...], append: str) -> None:
    text = file.read_text(encoding="utf-8")
    for before, after in pairs:
        assert before in text, f"{file.name} does not hold {before!r}:\n{text}"
        text = text.replace(before, after)
    file.write_text(f"{text.rstrip()}\n{append}\n", encoding="utf-8")
