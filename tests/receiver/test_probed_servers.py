# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_probe against Postfix with all kinds of settings: every finding is what is expected, and what openssl sees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.probe_findings import server_findings
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_expectations import ServerExpectations
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_facts import ServerFacts
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.server_probe import probe_server
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.smtp_conversation import ProbeTarget
from ansible_collections.mailroom.erp.plugins.module_utils.smtp_probe.tls_stream import TlsContexts
from ansible_collections.mailroom.erp.tests.receiver import namespace
from ansible_collections.mailroom.erp.tests.receiver.probed_settings import SETTINGS, ManySettings, Setting
from ansible_collections.mailroom.erp.tests.receiver.second_opinion import SecondOpinion, second_opinion
from ansible_collections.mailroom.erp.tests.receiver.submission import Dovecot

OPENSSL_CODES = {
    "certificate_expired": (10,),
    "certificate_not_yet_valid": (9,),
    "certificate_self_signed": (18,),
    "certificate_untrusted": (20, 21),
    "certificate_wrong_name": (62,),
    "certificate_weak": (66, 67, 68),
    "chain_dates": (10,),
}
"""What X509_V_ERR_* of openssl-verification-options(1) belongs to a finding; 62 is the name."""


@pytest.fixture(scope="module")
def postfix() -> Iterator[ManySettings]:
    folder = namespace.folder()
    with (
        Dovecot(folder / "probed-dovecot", folder / "probed-mail") as dovecot,
        ManySettings(folder / "probed-postfix", dovecot.folder) as started,
    ):
        yield started


def probed(postfix: ManySettings, setting: Setting) -> ServerFacts:
    target = ProbeTarget("localhost", postfix.port(setting), setting.implicit, "probe.test")
    return probe_server(target, TlsContexts(postfix.ca_file), 20.0)


def test_there_are_enough_settings() -> None:
    assert len(SETTINGS) >= 40 and len({one.name for one in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS, ids=[one.name for one in SETTINGS])
def test_findings_agree_with_openssl(postfix: ManySettings, setting: Setting) -> None:
    facts, port = probed(postfix, setting), postfix.port(setting)
    wanted = ServerExpectations(setting.security, **setting.wanted)
    found = [(one.level == "warning", one.name) for one in server_findings(facts, wanted, datetime.now(UTC))]
    bad, warnings = (tuple(name for is_warning, name in found if is_warning == which) for which in (False, True))
    assert (bad, warnings) == (setting.bad, setting.warnings), facts
    assert 0 < facts.connections <= 3
    if facts.other_mode:
        return
    assert facts.banner is not None and facts.banner.code == setting.banner
    if setting.banner == 220:
        check_by_openssl(facts, port, (*bad, *warnings), postfix.ca_file)


def check_by_openssl(facts: ServerFacts, port: int, found: tuple[str, ...], ca_file: str) -> None:
    """Ask openssl for the same: TLS at all, each version, the certificate, AUTH and SIZE after TLS."""
    seen = second_opinion(port, facts.implicit, ca_file)
    each = {name: second_opinion(port, facts.implicit, ca_file, name) for name in facts.versions}
    spoken = [one for one in each.values() if one.version]
    assert facts.has_tls == bool(spoken)
    if not spoken:
        return
    check_versions(facts, each)
    check_certificate(found, seen, each)
    assert facts.secure is not None
    size = spoken[-1].size
    told = (tuple(sorted(facts.secure.auth)), facts.secure.size)
    assert told == (spoken[-1].auth, int(size or 0) if size is not None else None)


def check_versions(facts: ServerFacts, each: dict[str, SecondOpinion]) -> None:
    """What is told of a version is so; only a version below three others may be left open."""
    for name, state in facts.versions.items():
        if state != "unknown":
            assert (state == "offered") == (each[name].version == name), (name, facts.versions, each)
    unknown = [name for name, state in facts.versions.items() if state == "unknown"]
    assert unknown in ([], ["1.0"])


def check_certificate(found: tuple[str, ...], seen: SecondOpinion, each: dict[str, SecondOpinion]) -> None:
    """A client that checks sees the same fault, or none. One of today speaks no old version: it has no opinion then."""
    if not (each["1.2"].version or each["1.3"].version):
        return
    codes = [code for name in found for code in OPENSSL_CODES.get(name, ())]
    assert seen.verified in (codes or [0]), (found, seen)
