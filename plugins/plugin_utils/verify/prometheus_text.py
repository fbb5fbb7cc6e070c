# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The figures of a report for Prometheus, in its text format, for the textfile collector of node_exporter. Pure.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.report_model import RISKS, VerifyReport

_STATES = ("fine", "attention", "failing", "unknown")
_RECORD_STATES = ("declared", "drifted", "unknown", "refused", "elsewhere")
_OUTCOMES = ("pass", "fail", "unknown", "leaving")
_Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    help: str
    samples: tuple[_Sample, ...]


def prometheus_text(report: VerifyReport) -> str:
    """Write the figures.

    :param report: that on all
    """
    return "".join(line for metric in _metrics(report) for line in _lines(metric))


def _metrics(report: VerifyReport) -> Iterator[_Metric]:
    made = datetime.datetime.fromisoformat(report.made).timestamp()
    hosts, domains = report.environments, report.domains
    yield _Metric("last_run_timestamp_seconds", "When verify ran.", (({}, made),))
    yield _counted("todo", "Things to be done, by risk.", "risk", RISKS, (one.risk for one in report.todo))
    yield _counted("environments", "Environments, by state.", "state", _STATES, (one.state for one in hosts))
    yield _counted("domains", "Domains, by state.", "state", _STATES, (one.state for one in domains))
    records = [one.state for domain in domains for one in domain.records]
    yield _counted("records", "Records, by state.", "state", _RECORD_STATES, records)
    verdicts = [one.verdict for one in report.senders]
    yield _counted("senders", "Senders, by verdict.", "verdict", _OUTCOMES, verdicts)
    drifted = tuple(({"domain": one.name}, sum(two.state == "drifted" for two in one.records)) for one in domains)
    yield _Metric("domain_drifted_records", "Records of a domain that are not as declared.", drifted)
    lookups = tuple(({"domain": one.name}, one.spf.lookups) for one in domains if one.spf.lookups is not None)
    yield _Metric("spf_lookups", "DNS lookups that the SPF record of a domain costs, of 10.", lookups)
    yield _Metric("secret_days_left", "Days until a secret ends.", tuple(_secrets(report)))


def _secrets(report: VerifyReport) -> Iterator[_Sample]:
    for one in report.environments:
        for secret in one.tenant.secrets if one.tenant else ():
            if secret.days_left is not None:
                yield {"environment": one.name, "kind": secret.kind, "key": secret.name}, secret.days_left


def _counted(name: str, help_text: str, label: str, all_values: Iterable[str], found: Iterable[str]) -> _Metric:
    """Each value has a sample, also that which is 0: a series that vanishes raises no alarm."""
    counts = Counter(found)
    return _Metric(name, help_text, tuple(({label: value}, counts[value]) for value in all_values))


def _lines(metric: _Metric) -> Iterator[str]:
    name = f"mailroom_{metric.name}"
    if metric.samples:
        yield f"# HELP {name} {metric.help}\n# TYPE {name} gauge\n"
    for labels, value in metric.samples:
        told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{told}}} {value:.0f}\n" if told else f"{name} {value:.0f}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
