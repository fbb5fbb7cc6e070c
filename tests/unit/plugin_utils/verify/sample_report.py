# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report with three customers that shows every state, for the tests of what reads reports.

``python -m ansible_collections.mailroom.erp.tests.unit.plugin_utils.verify.sample_report`` writes its JSON anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    REPORT_SCHEMA,
    CalendarItem,
    CustomerSummary,
    DelegationReport,
    DmarcDay,
    DmarcReport,
    DomainReport,
    EnvironmentReport,
    EvidenceReport,
    FindingReport,
    FlattenedReport,
    GrownReport,
    MailboxReport,
    ProbeReport,
    RecordReport,
    ReportChange,
    SecretReport,
    SelectorReport,
    SenderReport,
    SourceReport,
    SpfReport,
    SpfTermReport,
    SpfTreeReport,
    TenantReport,
    TodoItem,
    UnknownItem,
    VerifyReport,
    report_data,
)

FILE = Path(__file__).with_suffix(".json")
_SITE = "ansible-playbook -i inventory mailroom.erp.site"
_SPF = "v=spf1 mx include:spf.protection.outlook.com include:spf.afas.online ~all"
_NEXT = "Add the missing include to the SPF record: run the playbook site."


def sample_report() -> VerifyReport:
    """Bakkerij Jansen has a drifted record, De Vries a failing sender and a secret that is due, Klaas is fine."""
    return VerifyReport(
        schema=REPORT_SCHEMA,
        made="2026-11-29T03:15:00Z",
        previous="2026-11-28T03:15:00Z",
        collection="0.1.0",
        customer=None,
        state="failing",
        todo=_todo(),
        changed=(
            ReportChange("record", "jansen.example TXT (SPF)", "declared", "drifted"),
            ReportChange("sender", "vries_profit: facturen@vries.example", "pass", "fail"),
            ReportChange("name servers", "jansen.example", "ns1.host.example", "ns1.other.example"),
        ),
        customers=(
            CustomerSummary("Bakkerij Jansen", "attention", 1, 1, 2),
            CustomerSummary("De Vries", "failing", 2, 2, 3),
            CustomerSummary("Klaas & Co", "fine", 1, 1, 0),
        ),
        environments=_environments(),
        domains=_domains(),
        calendar=(
            CalendarItem("2026-12-09", "the secret of vries_profit ends", ("vries_profit",), ()),
            CalendarItem("2026-12", "microsoft365 ends sign-in with a password", ("jansen_compad",), ()),
            CalendarItem("2027-02-01", "the certificate of mail.jansen.example ends", ("jansen_compad",), ()),
        ),
        unknown=(UnknownItem("vries-shop.example", "its SPF record", "the name servers answer SERVFAIL"),),
    )


def _todo() -> tuple[TodoItem, ...]:
    return (
        TodoItem(
            "3fa91c",
            "fail",
            ("vries_profit",),
            ("vries.example",),
            "vries_profit, facturen@vries.example: receivers reject its mail: DKIM signs as another domain",
            "Switch on signing as vries.example at the service.",
            None,
            "sender",
            "Please sign the mail of facturen@vries.example with DKIM as vries.example.",
        ),
        TodoItem(
            "a11b02",
            "drift",
            ("jansen_compad",),
            ("jansen.example",),
            "jansen.example: the SPF record lost include:spf.afas.online",
            _NEXT,
            _SITE,
            "us",
            "Please run the playbook site: the SPF record of jansen.example lost include:spf.afas.online.",
        ),
        TodoItem(
            "77d0e1",
            "due",
            ("vries_profit",),
            (),
            "vries_profit: its secret ends on 2026-12-09, in 10 days",
            "Run the playbook rotate_secrets, then type the new secret in.",
            "ansible-playbook -i inventory mailroom.erp.rotate_secrets",
            "us",
            "Please run rotate_secrets: the secret of vries_profit ends on 2026-12-09.",
        ),
        TodoItem(
            "90c3aa",
            "unknown",
            ("vries_shop",),
            ("vries-shop.example",),
            "vries-shop.example: its SPF record cannot be looked up: the name servers answer SERVFAIL",
            "See why the name servers do not answer.",
            None,
            "dns",
            "The name servers of vries-shop.example answer SERVFAIL; please see to that.",
        ),
        TodoItem(
            "5be417",
            "confirm",
            ("jansen_compad",),
            (),
            "jansen_compad: nobody has confirmed that the test message arrived",
            "Confirm it in erp_mail_confirmed by its stamp, as the sheet says.",
            None,
            "erp",
            "Please send the test message of the checklist, and tell whether it arrived.",
        ),
    )


def _environments() -> tuple[EnvironmentReport, ...]:
    passing = SenderReport(
        "post@jansen.example", "smtp_server", "pass", "pass", "pass", "pass", "pass", "it passes", None
    )
    failing = SenderReport(
        "facturen@vries.example",
        "microsoft365",
        "fail",
        "fail",
        "fail",
        "fail",
        None,
        "DKIM signs as another domain, and SPF passes for another one (RFC 9989 section 5.3)",
        "Switch on signing as vries.example at the service.",
    )
    unknown = SenderReport(
        "shop@vries-shop.example",
        "afas_online",
        "unknown",
        "unknown",
        "pass",
        "unknown",
        "pass",
        "the SPF record cannot be looked up",
        "See why the name servers do not answer.",
    )
    fine = SenderReport("erp@klaas.example", "afas_online", "pass", "pass", "pass", "pass", None, "it passes", None)
    probe = ProbeReport(
        "mail.jansen.example port 587",
        "certificate_ends",
        "warning",
        True,
        "the certificate ends on 2027-02-01",
        "Have it renewed.",
    )
    tenant = TenantReport(
        grants_missing=(),
        grants_unknown=("Mail.ReadWrite",),
        differs=(),
        scope="tenant_wide",
        secrets=(SecretReport("11111111-2222-3333-4444-555555555555", "secret", "2026-12-09", 10, "it ends soon"),),
        mailboxes=(MailboxReport("facturen@vries.example", "pass", "it is a mailbox", None),),
        open=("the whole tenant still lets the application send",),
        problem=None,
    )
    waiting = ("a message of the test reached a mailbox outside",)
    return (
        EnvironmentReport(
            "jansen_compad", "Bakkerij Jansen", "compad", "attention", (passing,), (probe,), None, waiting, (), None
        ),
        EnvironmentReport("vries_profit", "De Vries", "afas_profit", "failing", (failing,), None, tenant, (), (), None),
        EnvironmentReport("vries_shop", "De Vries", "afas_profit", "unknown", (unknown,), None, None, (), (), None),
        EnvironmentReport("klaas_profit", "Klaas & Co", "afas_profit", "fine", (fine,), None, None, (), (), None),
    )


def _domains() -> tuple[DomainReport, ...]:
    drifted = RecordReport(
        name="jansen.example",
        type="TXT",
        kind="SPF",
        state="drifted",
        declared=(_SPF,),
        live=("v=spf1 mx include:spf.protection.outlook.com ~all",),
        cause="a term was removed: include:spf.afas.online",
        last_written="2026-10-02T09:30:15Z",
        seen_right="2026-11-28T03:15:00Z",
        restore=_SITE,
    )
    jansen = _domain(
        "jansen.example",
        ("Bakkerij Jansen",),
        "attention",
        records=(drifted,),
        delegation=DelegationReport(
            "moved",
            "jansen.example",
            ("ns1.other.example",),
            ("ns1.host.example",),
            "the name servers of jansen.example are others than in the last run",
        ),
        reports=EvidenceReport(1240, 1190, 50, 4, (SourceReport("203.0.113.7", 50, 0, 50),)),
        flattened=FlattenedReport(("include:spf.afas.online has other addresses by now",)),
    )
    vries = _domain("vries.example", ("De Vries",), "failing", selectors=_selectors(), grown=GrownReport(8, 11))
    shop = _unknown_domain("vries-shop.example", ("De Vries",))
    klaas = _domain("klaas.example", ("Klaas & Co",), "fine")
    return (jansen, vries, shop, klaas)


def _selectors() -> tuple[SelectorReport, ...]:
    weak = "its RSA key has 512 bits: receivers ignore it (RFC 8301 section 3.2)"
    return (
        SelectorReport("s1", "s1._domainkey.vries.example", "revoked", "rsa", None, None, "its owner revoked the key"),
        SelectorReport("s2", "s2._domainkey.vries.example", "weak", "rsa", 512, "9d2c41aa07b6", weak),
        SelectorReport("s3", "s3._domainkey.vries.example", "missing", None, None, None, "there is no key"),
        SelectorReport("s4", "s4._domainkey.vries.example", "changed", "rsa", 2048, "0a17c3bb9f10", "another key"),
    )


def _domain(
    name: str,
    customers: tuple[str, ...],
    state: str,
    *,
    records: tuple[RecordReport, ...] = (),
    delegation: DelegationReport | None = None,
    selectors: tuple[SelectorReport, ...] | None = None,
    grown: GrownReport | None = None,
    reports: EvidenceReport | None = None,
    flattened: FlattenedReport | None = None,
) -> DomainReport:
    key = SelectorReport("s1", f"s1._domainkey.{name}", "valid", "rsa", 2048, "4be1d90c77aa", None)
    dmarc_text = f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{name}"
    declared = RecordReport(
        f"_dmarc.{name}", "TXT", "DMARC", "declared", (dmarc_text,), (dmarc_text,), None, None, None, None
    )
    days = tuple(DmarcDay(f"2026-11-{day:02}", 40 + day, day % 3) for day in range(1, 29))
    missing = ("28 days with reports of at least two receivers: 21 so far",)
    return DomainReport(
        name=name,
        customers=customers,
        state=state,  # type: ignore[arg-type]
        delegation=delegation or DelegationReport("fine", name, ("ns1.host.example", "ns2.host.example"), (), ""),
        records=(*records, declared),
        spf=_spf(name, 11 if grown else 5, grown),
        dkim=selectors or (key,),
        dmarc=DmarcReport(dmarc_text, "quarantine", None, "reject", "managed", missing, days),
        flattened=flattened,
        reports=reports,
        findings=(
            FindingReport(
                "concern", "DMARC record", dmarc_text, "p=quarantine is not the strictest", "Tighten it.", False
            ),
        ),
        senders=(
            SenderReport(
                f"*@{name}", "microsoft365", "pass", "pass", "pass", "pass", None, "SPF passes with alignment", None
            ),
        ),
        failure=None,
    )


def _spf(name: str, lookups: int, grown: GrownReport | None) -> SpfReport:
    deeper = SpfTreeReport("spf.afas.online", (SpfTermReport("include:_spf.relay.example", lookups - 4, None),))
    outlook = SpfTermReport("include:spf.protection.outlook.com", 1, SpfTreeReport("spf.protection.outlook.com", ()))
    terms = (SpfTermReport("mx", 1, None), outlook, SpfTermReport("include:spf.afas.online", lookups - 2, deeper))
    return SpfReport(_SPF, lookups, 10, 0, SpfTreeReport(name, terms), grown)


def _unknown_domain(name: str, customers: tuple[str, ...]) -> DomainReport:
    reason = "the name servers answer SERVFAIL"
    why = f"it cannot be looked up: {reason}"
    record = RecordReport(name, "TXT", "SPF", "unknown", (), (), None, "2026-10-02T09:30:15Z", None, None)
    key = SelectorReport(
        "s1", f"s1._domainkey.{name}", "unknown", None, None, None, f"it cannot be looked up: {reason}"
    )
    return DomainReport(
        name=name,
        customers=customers,
        state="unknown",
        delegation=DelegationReport("unknown", None, (), (), why),
        records=(record,),
        spf=SpfReport(None, None, 10, None, None, None),
        dkim=(key,),
        dmarc=DmarcReport(None, None, None, None, "declared", (), ()),
        flattened=None,
        reports=None,
        findings=(),
        senders=(),
        failure=f"zone {name}: {reason}",
    )


def sample_text() -> str:
    """The sample as it stands in its file."""
    return json.dumps(report_data(sample_report()), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(sample_text())
