# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Looks whether environments that leave still send, for ``verify``: in the archive of reports, and what people say."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mailroom.erp.plugins.module_utils.dmarc_reports.last_mail import SeenSender, seen_in_archive
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Key
from ansible_collections.mailroom.erp.plugins.module_utils.domains.world import world_of
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.public_dns.resolver import Resolver
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.last_writes import LastWrite
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.mail_since import mail_since, records_gone_on
from ansible_collections.mailroom.erp.plugins.plugin_utils.offboard.offboard_wishes import KnownEstate, read_wishes
from ansible_collections.mailroom.erp.plugins.plugin_utils.verify.leaving_reports import LeavingEvidence


def leaving_evidence(
    needs: Mapping[str, Mapping[str, Any]],
    senders: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    writes: Mapping[Key, LastWrite],
) -> dict[str, LeavingEvidence]:
    """Tell of each environment that leaves whether it still sends; what cannot be found out is why it is not known.

    :param needs: of all environments, by host
    :param senders: all that are declared, as the option ``senders`` has them
    :param options: ``archive``, ``resolver``, ``stopped`` and ``quiet``, as ``verify`` gets them
    :param writes: the last write of each RRset
    """
    known = KnownEstate({host: str(one["state"]) for host, one in needs.items()}, {}, {})
    today = datetime.datetime.now(datetime.UTC).date()
    try:
        wishes = read_wishes({name: options[name] for name in ("stopped", "quiet")}, known, today)
        seen = _seen(senders, known, options)
    except (Refused, MissingLibrary) as error:
        return {host: LeavingEvidence(missing=(str(error),)) for host in known.leaving}
    return {
        host: mail_since(
            seen.get(host) if seen is not None else None,
            wishes.stopped.get(host),
            records_gone_on(needs[host], writes),
            today,
            wishes.quiet_days,
        )
        for host in known.leaving
    }


def _seen(
    senders: Sequence[Mapping[str, Any]], known: KnownEstate, options: Mapping[str, Any]
) -> dict[str, list[SeenSender]] | None:
    """What reports tell, by host; None without an archive."""
    if not options["archive"]:
        return None
    lookup = world_of(Resolver(options["resolver"])).lookup
    return seen_in_archive(options["archive"], senders, known.leaving, lookup)
