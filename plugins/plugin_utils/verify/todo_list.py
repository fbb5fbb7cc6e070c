# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What somebody must do next: one item for each thing that is wrong, due or not known, the most urgent first. Pure.

A sender that fails because a record drifted is told with that record: what brings the record back helps the sender.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import listed
from ansible_collections.mailroom.erp.plugins.module_utils.policy.spf_budget import MAX_LOOKUPS
from ansible_collections.mailroom.erp.plugins.module_utils.so_many import so_many
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.password_calendar import password_calendar
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.probe_report import probe_cautions
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_report import (
    Caution,
    caution_stamp,
    run_cautions,
    stamp_of,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.record_reports import message_parts
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import (
    RISKS,
    DomainReport,
    EnvironmentReport,
    FindingReport,
    Helper,
    LeavingReport,
    RecordReport,
    Risk,
    SenderReport,
    TenantReport,
    TodoItem,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.verify_facts import VerifyFacts

_LOOK = "Look first: the same command with --check --diff writes nothing."
_ASK: dict[Helper, str] = {
    "dns": "Please see to this in the DNS",
    "tenant": "Please do this as an administrator of the Microsoft tenant",
    "erp": "Please see to this in the ERP",
    "sender": "Please see to this at the service that sends the mail",
    "us": "Please do this where the playbooks run",
}
_OWN_FINDINGS = {"SPF record": "SPF", "DMARC record": "DMARC", "DKIM key": "DKIM"}


@dataclass(frozen=True, slots=True)
class _Found:
    """One thing, before it is worded: ``kind`` of its subject is domain or environment."""

    risk: Risk
    kind: str
    subject: str
    text: str
    step: str
    who: Helper
    command: str | None = None
    stamp: str | None = None


def todo_items(
    facts: VerifyFacts, environments: Iterable[EnvironmentReport], domains: Iterable[DomainReport]
) -> tuple[TodoItem, ...]:
    """List what is to be done.

    :param facts: all that the run knows
    :param environments: what is true of each
    :param domains: likewise
    """
    todo = _TodoList(facts, list(environments), list(domains))
    found = [todo.item(one) for one in todo.all()]
    unique = {(one.risk, one.text): one for one in found}
    return tuple(sorted(unique.values(), key=lambda one: (RISKS.index(one.risk), one.domains, one.environments)))


class _TodoList:
    def __init__(self, facts: VerifyFacts, environments: list[EnvironmentReport], domains: list[DomainReport]) -> None:
        self._facts, self._environments, self._domains = facts, environments, domains
        self._drifted = {one.name for one in domains if any(_is_wrong(record) for record in one.records)}
        self._tenants = {one.name for one in environments if one.tenant}
        self._unknown = {one.name for one in domains if one.failure and not _is_refused(facts, one.name)}
        leaving = {one.name for one in environments if one.leaving}
        self._going = _selectors(facts, leaving) - _selectors(facts, set(facts.needs) - leaving)
        """Of environments that leave: that they are missing is told with these."""

    def item(self, found: _Found) -> TodoItem:
        of_domain = found.kind == "domain"
        environments = self._facts.dependents.get(found.subject, ()) if of_domain else (found.subject,)
        caution = Caution(found.kind, found.subject, found.text)
        sentence = f"{_ASK[found.who]}: {found.text.rstrip('.')}. {found.step}".strip()
        return TodoItem(
            id=found.stamp or stamp_of(caution),
            risk=found.risk,
            environments=tuple(environments),
            domains=(found.subject,) if of_domain else (),
            text=found.text,
            step=found.step,
            command=found.command,
            who=found.who,
            ask=sentence,
        )

    def all(self) -> Iterator[_Found]:
        if self._facts.run_failure:
            text, subject = f"the records could not be looked at: {self._facts.run_failure}", "verify"
            yield _Found("unknown", "run", subject, text, "Mend that, and run verify again.", "us")
        for domain in self._domains:
            yield from self._domain(domain)
        for environment in self._environments:
            yield from self._environment(environment)
        yield from self._cautions()
        yield from self._passwords()

    # --- domains -----------------------------------------------------------------------------------------------------

    def _domain(self, domain: DomainReport) -> Iterator[_Found]:
        yield from (self._record(domain, one) for one in domain.records if _is_wrong(one))
        for one in domain.records:
            if one.state == "declared" and one.cause:
                text, step = f"{one.name}: the {one.kind} record: {one.cause}", "See whether that is meant."
                yield _Found("confirm", "domain", domain.name, text, step, "dns")
        yield from self._failure(domain)
        yield from self._delegation(domain)
        yield from self._findings(domain)
        yield from self._budget(domain)
        yield from self._keys(domain)
        yield from self._unexplained(domain.name)
        for sender in domain.senders:
            yield from self._sender("domain", domain.name, sender)
        if domain.reports and domain.reports.unknown_sources:
            count, sources = sum(one.messages for one in domain.reports.unknown_sources), domain.reports.unknown_sources
            text = f"{domain.name}: {so_many(count, 'message')} came from sources that nobody declared: "
            step = "Find out who sends; declare the sender, or let it fail (docs/reports.md)."
            yield _Found("confirm", "domain", domain.name, text + listed([one.source for one in sources]), step, "us")

    def _record(self, domain: DomainReport, record: RecordReport) -> _Found:
        text = f"{record.name}: the {record.kind} record is not as declared: {record.cause}"
        failing = self._failing_senders(domain.name)
        text += f"; mail of {listed(failing)} fails" if failing else ""
        step = "Bring it back." if record.restore is None else f"Bring it back by the command. {_LOOK}"
        if domain.failure and record.kind in ("SPF", "DMARC") and "second" in str(record.cause):
            step = f"{_way_out(domain.failure)} Then run the command. {_LOOK}"
        elif domain.failure:
            step = f"{_way_out(domain.failure)} {step}".strip()
        return _Found("drift", "domain", domain.name, text, step, "us", record.restore)

    def _failing_senders(self, domain: str) -> list[str]:
        hosts = set(self._facts.dependents.get(domain, ()))
        own = [sender for one in self._environments if one.name in hosts for sender in one.senders]
        own += [sender for one in self._domains if one.name == domain for sender in one.senders]
        return sorted({one.address for one in own if one.verdict == "fail" and _is_at(one.address, domain)})

    def _failure(self, domain: DomainReport) -> Iterator[_Found]:
        if domain.failure is None or self._facts.run_failure:
            return
        if domain.name in self._unknown:
            text = f"{domain.name}: its records could not be looked at: {domain.failure}"
            yield _Found("unknown", "domain", domain.name, text, "See why the DNS service does not answer.", "dns")
        elif domain.name not in self._drifted or not any(one.restore for one in domain.records):
            for line in domain.failure.splitlines():
                yield _Found("fail", "domain", domain.name, line, _way_out(line), "us")

    def _delegation(self, domain: DomainReport) -> Iterator[_Found]:
        found = domain.delegation
        if found.state == "moved":
            text = f"{domain.name}: the name servers of {found.zone} moved: {found.text}"
            step = "Have it delegated to the DNS account's name servers again, or name the account that serves it."
            yield _Found("drift", "domain", domain.name, text, step, "dns")
        elif found.state == "unknown":
            text = f"{domain.name}: who serves zone {found.zone} is not known: {found.text}"
            yield _Found("unknown", "domain", domain.name, text, "See why the name servers do not answer.", "dns")

    def _findings(self, domain: DomainReport) -> Iterator[_Found]:
        """What receivers do not do as meant, and what cannot be looked up; a record that drifted is told already."""
        told = {one.kind for one in domain.records if _is_wrong(one)}
        for one in domain.findings:
            text = f"{domain.name}: {one.record}: {one.text}"
            if one.unanswered:
                yield _Found("unknown", "domain", domain.name, text, one.next, "dns")
            elif one.level == "fault" and _OWN_FINDINGS.get(one.record) not in told and one.value not in self._going:
                yield _Found(self._risk_of(domain, one), "domain", domain.name, text, one.next, _who(one))

    def _risk_of(self, domain: DomainReport, finding: FindingReport) -> Risk:
        """A domain that nobody sends as harms nobody's mail."""
        return "fail" if self._facts.dependents.get(domain.name) or finding.record == "DMARC record" else "confirm"

    def _budget(self, domain: DomainReport) -> Iterator[_Found]:
        grown = domain.spf.grown
        if grown and grown.after <= MAX_LOOKUPS:
            text = f"{domain.name}: an include of the SPF record grew: it costs {grown.after} lookups of {MAX_LOOKUPS}"
            step = "Make room before it is over the limit: docs/flatten.md."
            yield _Found("due", "domain", domain.name, f"{text}, {grown.before} in the last run", step, "us")

    def _keys(self, domain: DomainReport) -> Iterator[_Found]:
        told = {one.name for one in domain.records if _is_wrong(one)}
        for one in domain.dkim:
            if one.state == "changed" and one.name not in told:
                text, step = f"{one.name}: another DKIM key stands there than in the last run", "See who changed it."
                yield _Found("confirm", "domain", domain.name, text, step, "sender")

    def _unexplained(self, name: str) -> Iterator[_Found]:
        for what in self._facts.unexplained.get(name, ()):
            step = f"Find out, and declare it or drop it from mail_dns_domains.{name}.unexplained (docs/adopt.md)."
            yield _Found("confirm", "domain", name, f"{name}: nobody can explain {what}", step, "us")

    # --- environments ------------------------------------------------------------------------------------------------

    def _environment(self, environment: EnvironmentReport) -> Iterator[_Found]:
        name = environment.name
        for reason in environment.refused:
            if not (environment.tenant and environment.tenant.problem and reason in environment.tenant.problem):
                yield _Found("fail", "environment", name, reason, _way_out(reason), "us")
        yield from (one for sender in environment.senders for one in self._sender("environment", name, sender))
        if environment.leaving:
            yield self._leaving(name, environment.leaving)
        if environment.tenant:
            yield from self._tenant(name, environment.tenant)
            has_left = any(one.verdict == "leaving" for one in environment.senders)
            yield from self._held(name, replace(environment.tenant, mailboxes=()) if has_left else environment.tenant)
        if environment.confirmations:
            count = len(environment.confirmations)
            are = "of the checklist is" if count == 1 else "of the checklist are"
            text = f"{name}: {so_many(count, 'point')} {are} not confirmed: {listed(environment.confirmations)}"
            step = "Confirm them in erp_mail_confirmed, as the sheet says."
            yield _Found("confirm", "environment", name, text, step, "erp")

    def _leaving(self, name: str, leaving: LeavingReport) -> _Found:
        gone, stands = ("; ".join(part) or "nothing" for part in (leaving.gone, leaving.stands))
        text = f"{name}: it is leaving; gone of its records: {gone}; still there: {stands}; {leaving.mail}"
        step = "Run offboard until it tells that it has left; then take its host out of the inventory."
        return _Found("confirm", "environment", name, text, step, "us")

    def _sender(self, kind: str, name: str, sender: SenderReport) -> Iterator[_Found]:
        domain = self._facts.domain_of(sender.address.rpartition("@")[2])
        mended = domain in (self._drifted if sender.verdict == "fail" else self._unknown)
        if sender.verdict in ("pass", "leaving") or (mended and sender.transport != "fail"):
            return
        by = f" by {sender.service}" if sender.service else ""
        says = "fails" if sender.verdict == "fail" else "is not known to arrive"
        text = f"{name}: mail of {sender.address}{by} {says}: {sender.reason}"
        risk: Risk = "fail" if sender.verdict == "fail" else "unknown"
        who: Helper = "sender" if domain is None else "us"
        if sender.transport == "fail":
            who = "tenant" if name in self._tenants else "erp"
        yield _Found(risk, kind, name, text, sender.next or "See the reason.", who)

    def _tenant(self, name: str, tenant: TenantReport) -> Iterator[_Found]:
        if tenant.problem:
            text = f"{name}: its tenant could not be looked at: {tenant.problem.removeprefix(f'{name}: ')}"
            yield _Found("unknown", "environment", name, text, "See why, and run verify again.", "tenant")
        if tenant.grants_unknown:
            text = f"{name}: its application has permissions that nobody declared: {', '.join(tenant.grants_unknown)}"
            step = "Take them away in the tenant, or declare what needs them (docs/entra.md)."
            yield _Found("drift", "environment", name, text, step, "tenant")
        if tenant.differs:
            text = f"{name}: its part of the tenant is not as declared: {'; '.join(tenant.differs)}"
            yield _Found(
                "drift", "environment", name, text, f"Run the command. {_LOOK}", "us", self._facts.commands.site
            )
        if tenant.grants_missing:
            text = f"{name}: permissions are missing: {', '.join(tenant.grants_missing)}"
            yield _Found("fail", "environment", name, text, "Consent to them (docs/entra.md).", "tenant")
        if tenant.scope == "tenant_wide":
            text = f"{name}: its application is not limited: the whole tenant lets it send"
            yield _Found(
                "drift", "environment", name, text, "Limit it: docs/entra.md.", "tenant", self._facts.commands.site
            )
        elif tenant.scope == "unknown":
            text = f"{name}: how far its application is limited is not known"
            yield _Found("unknown", "environment", name, text, "Let the automation read it (docs/entra.md).", "tenant")

    def _held(self, name: str, tenant: TenantReport) -> Iterator[_Found]:
        for secret in tenant.secrets:
            if secret.due:
                text, step = f"{name}: a new secret is due: {secret.due}", "Make it, and type it into the ERP."
                yield _Found("due", "environment", name, text, step, "us", self._facts.commands.rotate)
        for one in tenant.mailboxes:
            if one.result != "pass":
                text, step = f"{name}: {one.address}: {one.reason}", one.next or "See to it (docs/entra.md)."
                yield _Found("fail" if one.result == "fail" else "unknown", "environment", name, text, step, "tenant")

    # --- what is to be looked at -------------------------------------------------------------------------------------

    def _cautions(self) -> Iterator[_Found]:
        told = {one.text for domain in self._domains for one in domain.findings if one.level == "fault"}
        known = {"judged": self._facts.judged, "plan": self._facts.plan, "records": self._facts.records}
        for one in (*run_cautions(known), *probe_cautions(self._facts.sights)):
            stamp = stamp_of(one)
            if stamp not in self._facts.confirmed and one.text.partition(": ")[2] not in told:
                step = f"Mend it, or confirm it in mail_confirmed_cautions by its stamp {stamp}."
                yield _Found("confirm", one.kind, one.subject, one.text, step, "us", stamp=stamp)

    def _passwords(self) -> Iterator[_Found]:
        for entry in password_calendar(self._facts.needs, self._facts.today):
            stamps = {caution_stamp(f"{entry.text}: {move.template}") for move in entry.moves}
            if stamps <= self._facts.confirmed:
                continue
            for host in entry.environments:
                text, step = f"{host}: {entry.text}", "Plan the move (docs/inventory.md); confirm it by its stamp."
                yield _Found("due", "environment", host, text, step, "erp", stamp=min(stamps - self._facts.confirmed))


def _selectors(facts: VerifyFacts, hosts: Iterable[str]) -> set[str]:
    """The names of the DKIM selectors that environments need."""
    wanted = [
        (domain, one) for host in hosts for domain, found in facts.needs[host].get("dkim", {}).items() for one in found
    ]
    return {f"{one['selector']}._domainkey.{domain}" for domain, one in wanted}


def _is_wrong(record: RecordReport) -> bool:
    return record.state in ("drifted", "refused")


def _is_refused(facts: VerifyFacts, domain: str) -> bool:
    return bool(facts.failures.get(domain, {}).get("refused"))


def _is_at(address: str, domain: str) -> bool:
    host = address.rpartition("@")[2].lower()
    return host == domain or host.endswith(f".{domain}")


def _way_out(message: str) -> str:
    """What a broken rule says to do."""
    return message_parts(message)[1] or "Mend what the sentence names."


def _who(finding: FindingReport) -> Helper:
    return "sender" if finding.record == "DKIM key" else "dns"
