# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One real message of each sender of all environments: what ``mail_test`` is told, and what came of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.estate_tenants import (
    as_application,
    made_environments,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.estate.site_run import EnvironmentOutcome

_RECIPIENT, _OUTSIDE = "mail_test_to", "mail_test_outside"
"""The variables that say where the messages of an environment go, and as whom its application must not send."""
SENT_NOW, WOULD_SEND, SENT_BEFORE, REFUSED_HERE, TEST_FAILED = "sent", "planned", "before", "elsewhere", "failed"
"""What came of a test; the fourth is a refusal from another place than the one that the ERP hands its mail in from."""
SCOPE_HOLDS = "holds"
"""What came of a negative proof, where it is not one of these."""
_ACCEPTED, _REFUSED = "accepted", "refused"
_METHODS = ("spf", "dkim", "dmarc")
_HERE = "here"


@dataclass(frozen=True, slots=True)
class SenderTests:
    """``tests`` are what ``mail_test`` is told of each sender, without secrets; ``untested`` says by environment why
    none of its senders is tested, or its scope is not."""

    tests: list[dict[str, Any]]
    untested: dict[str, str]


def sender_tests(
    judged: Mapping[str, Any], results: Iterable[Mapping[str, Any]], verdicts: Iterable[Mapping[str, Any]]
) -> SenderTests:
    """Say how each sender is tested.

    :param judged: the result of ``erp_environments_info``
    :param results: what the tenants hold, those of ``entra_environments``
    :param verdicts: of the senders, on the live records
    :returns: for each test ``environment``, ``from``, ``to``, ``expect``, ``submission``, ``smtp``, ``signs_in``,
        ``tenant``, ``stored`` (the file of the application's secret, None where a variable holds it), ``once_per``,
        ``limits``, ``verdict`` and ``place``, as ``sender_submission`` and ``mail_test`` have them; behind the senders
        of an application that is limited to its mailboxes the one that it must not send as
    """
    made, foretold = made_environments(results), _foretold(verdicts)
    found = SenderTests([], {})
    for host, needs in judged["needs"].items():
        if needs.get("problems") or needs["state"] != "present":
            continue
        own = judged["variables"].get(host) or {}
        way = _way(host, needs, own, made.get(host))
        if isinstance(way, str):
            found.untested[host] = way
            continue
        tests = list(_tests(host, needs, way, foretold))
        found.tests.extend(tests)
        proof = _proof(own, tests)
        if isinstance(proof, str):
            found.untested[host] = proof
        elif proof is not None:
            found.tests.append(proof)
    return found


def _way(host: str, needs: Mapping[str, Any], own: Mapping[str, Any], made: Any) -> dict[str, Any] | str:
    """What all tests of an environment share, or why there is none."""
    given = needs["submission"]
    if given["submission"] is None:
        return str(given["reason"])
    to = own.get(_RECIPIENT) or given["to"]
    if not to:
        return f"nobody says where its test messages go: declare {_RECIPIENT}"
    way = {**{name: given[name] for name in ("submission", "smtp", "signs_in", "limits", "place")}, "to": to}
    way |= {"expect": _ACCEPTED, "tenant": None, "stored": None, "once_per": None}
    if given["submission"] != "graph":
        return way
    application = _application(needs["entra"], own, made)
    return application if isinstance(application, str) else {**way, **application}


def _application(entra: Mapping[str, Any], own: Mapping[str, Any], made: Any) -> dict[str, Any] | str:
    tenant = own.get("mail_entra_tenant") or {}
    if not entra["managed"]:
        known = {**as_application(tenant, entra["application_id"]), "tenant_id": entra["directory_id"]}
        return {"tenant": known} if entra["secret"] else "the secret of its application is not declared"
    if not made or not made["app_id"] or not made["key_id"]:
        return "its application has no secret yet: run site first"
    return {"tenant": as_application(tenant, made["app_id"]), "stored": made["stored"], "once_per": made["key_id"]}


def _tests(
    host: str, needs: Mapping[str, Any], way: dict[str, Any], foretold: Mapping[tuple[str, str, str], Any]
) -> Iterator[dict[str, Any]]:
    """One for each address; what another service sends is not handed in here."""
    own = [one for one in needs["senders"] if one["service"] == needs["service"]]
    for sender in {(one["from"], one["envelope_from"]): one for one in own}.values():
        smtp, envelope = way["smtp"], sender["envelope_from"]
        if smtp and envelope and envelope != sender["from"]:
            smtp = {**smtp, "envelope_from": envelope}
        verdict = foretold.get((host, sender["from"], sender["service"]))
        yield {**way, "environment": host, "from": sender["from"], "smtp": smtp, "verdict": verdict}


def _proof(own: Mapping[str, Any], tests: list[dict[str, Any]]) -> dict[str, Any] | str | None:
    """The negative proof of an application's scope, or why there is none; None where nobody asks for it."""
    outside = own.get(_OUTSIDE)
    if not outside or not tests or tests[0]["submission"] != "graph" or own.get("mail_entra_access") == "tenant":
        return None
    if str(outside).lower() in {one["from"].lower() for one in tests}:
        return f"its scope: {outside} may send, so it is not outside. Correct {_OUTSIDE}"
    return {**tests[0], "from": outside, "expect": _REFUSED, "verdict": None}


def _foretold(verdicts: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], Any]:
    """The results of each verdict, by environment, address and service."""
    found = {}
    for one in verdicts:
        sender = one["sender"]
        key = (str(sender.get("environment")), str(sender["from"]), str(sender.get("service")))
        found[key] = {method: {"result": one[method]["result"]} for method in _METHODS if one.get(method)}
    return found


@dataclass(frozen=True)
class SenderTestRun:
    """All that a run knows at its end: ``results`` are those of ``mail_test``, each with its test as ``item``;
    ``untested`` as above; ``refused`` by host what is wrong with its declaration or its tenant; ``environments`` all
    that declare one."""

    environments: tuple[str, ...]
    results: tuple[Mapping[str, Any], ...]
    untested: Mapping[str, str]
    refused: Mapping[str, list[str]]

    @cached_property
    def told(self) -> list[tuple[Mapping[str, Any], str]]:
        """Each result with what came of it."""
        return [(one, what_came(one)) for one in self.results]


def what_came(result: Mapping[str, Any]) -> str:
    """Tell what came of a test: one of the words above.

    :param result: of ``mail_test``, with its test as ``item``
    """
    outcome, earlier = result.get("outcome"), (result.get("earlier") or {}).get("state")
    item = result["item"]
    if item["expect"] == _REFUSED and result.get("proof") is not None:
        return SCOPE_HOLDS if result["proof"] == SCOPE_HOLDS else TEST_FAILED
    if outcome == _ACCEPTED:
        return SENT_NOW
    if outcome == "not_sent" and earlier == "sent":
        return SENT_BEFORE
    # the task of the playbook says that it never changes, so `changed` tells nothing
    if outcome == "not_sent" and earlier is None and "msg" not in result:
        return WOULD_SEND
    answered = bool((result.get("answer") or {}).get("code"))
    knows_by_address = item["submission"] == "smtp" and not item["signs_in"] and item["place"] != _HERE
    return REFUSED_HERE if knows_by_address and answered and result.get("sent") is False else TEST_FAILED


def sender_test_outcomes(run: SenderTestRun) -> dict[str, EnvironmentOutcome]:
    """What came of each environment of which there is something to tell.

    :param run: all that is known at its end
    """
    found = {host: EnvironmentOutcome(failed=list(reasons)) for host, reasons in run.refused.items()}
    for result, came in run.told:
        item = result["item"]
        outcome = found.setdefault(item["environment"], EnvironmentOutcome())
        if came == TEST_FAILED:
            outcome.failed.append(f"{item['environment']}: {_reason(result)}")
        if _sends(result, came):
            outcome.changed.append(f"a message from {item['from']} to {item['to']}")
    return {host: one for host, one in found.items() if one.failed or one.changed}


def _sends(result: Mapping[str, Any], came: str) -> bool:
    """Whether a message goes out in this run, or may have; one of an earlier run was told by that."""
    if came == WOULD_SEND:
        return bool(result["item"]["expect"] == _ACCEPTED)
    return "sent" in result and result["sent"] is not False and not result["earlier"]


def _reason(result: Mapping[str, Any]) -> str:
    told = " ".join(str(result.get("msg") or "mail_test gave no result").split())
    if "outcome" in result or not result["item"]["signs_in"]:
        return told
    return f"{told}. If the secret is missing: erp_mail_password is not defined, or its vault is not open in this run"
