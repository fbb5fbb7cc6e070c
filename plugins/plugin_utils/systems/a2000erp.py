# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""A2000ERP: the rules of "Explanations on Email Settings for A2000ERP" that an argument spec cannot say."""

from __future__ import annotations

import math

from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_facts import Fact
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.confirmed_points import point_states
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import Environment, Findings
from ansible_collections.mailroom.erp.plugins.plugin_utils.systems.system_base import SystemRules

_DAY = 24 * 60 * 60
_MINUTE = 60


class A2000Erp(SystemRules):
    """The rules of A2000ERP beside ``catalogue/systems/a2000erp.yml``."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge the password, the authentication of the sender's domain, the logo, and the pace of sending."""
        _password(environment, findings)
        _authenticated(environment, findings)
        _logo(environment, findings)
        _batches(environment, findings)
        _limits(environment, findings)

    def remarks(self, environment: Environment) -> list[str]:
        """How long the expected mails take."""
        mails, batch, interval = _pace(environment)
        if mails is None or batch is None or interval is None:
            return []
        seconds = sending_time(mails, batch, interval)
        batches = math.ceil(mails / batch)
        return [f"{mails} mails are {batches} batches of at most {batch}: the pauses alone take {_told(seconds)}."]


def sending_time(mails: int, batch: int, interval: int) -> int:
    """The least time that mails take: the pauses between the batches; the sending itself is not counted.

    :param mails: how many, 0 or more
    :param batch: Maximum Mails per Batch, 1 or more
    :param interval: Batch Interval in seconds
    :returns: seconds
    """
    return max(math.ceil(mails / batch) - 1, 0) * interval


def most_mails(seconds: int, batch: int, interval: int) -> int | None:
    """The most mails that may leave within any so many seconds; None when nothing holds them back.

    :param seconds: the length of the window
    :param batch: Maximum Mails per Batch
    :param interval: Batch Interval in seconds
    """
    return None if interval == 0 else batch * math.ceil(seconds / interval)


def _pace(environment: Environment) -> tuple[int | None, int | None, int | None]:
    values = environment.values
    return values.get("expected_mails"), values.get("max_mails_per_batch"), values.get("batch_interval")


def _password(environment: Environment, findings: Findings) -> None:
    service, source = environment.service, environment.transport.source
    if service.auth.value == "required" and not environment.has_password:
        rule = f"{service.title} takes mail only after sign-in with the Email password"
        way_out = "Declare it encrypted, or as a reference to a vaulted variable."
        findings.error("erp_mail_password", None, rule, source, way_out)
    if service.username.value is not None:
        rule = (
            f"{service.title} wants the username {service.username.value}, and A2000ERP signs in as the Sender Email ID"
        )
        findings.error("erp_mail_service", service.name, rule, source, "Choose a service that takes the address.")


def _authenticated(environment: Environment, findings: Findings) -> None:
    """ "The sender must authenticate with at least one of SPF or DKIM" (550-5.7.26)."""
    sender, source = environment.sender("environment"), environment.transport.source
    if sender is None or sender.domain in (environment.service.domains.value or []):
        return
    terms = environment.service.spf_terms.value if environment.spf_terms is None else environment.spf_terms
    has_spf, has_dkim = bool(terms) and environment.is_ours(sender.domain), environment.is_signed(sender.domain)
    if not has_spf and not has_dkim:
        rule = "Gmail and Yahoo refuse it (550-5.7.26): neither SPF nor DKIM can be planned for this sender's domain"
        way_out = "Send as a domain of mail_dns_domains, and declare erp_mail_spf_terms or erp_mail_dkim."
        findings.error("erp_mail_senders.environment", sender.address, rule, source, way_out)
    elif not (has_spf and has_dkim):
        rule = f"only {'SPF' if has_spf else 'DKIM'} is planned for {sender.domain}; bulk senders need both"
        way_out = f"Declare {'dkim of the domain, or erp_mail_dkim' if has_spf else 'erp_mail_spf_terms'} too."
        findings.warn("erp_mail_senders.environment", sender.address, rule, source, way_out)


def _logo(environment: Environment, findings: Findings) -> None:
    url = environment.values.get("logo_url")
    if url is None:
        for size in (size for size in ("logo_height", "logo_width") if environment.values.get(size) is not None):
            rule = "a size is of use only with a Company Logo URL"
            where = f"erp_mail_settings.{size}"
            findings.error(where, environment.values[size], rule, environment.transport.source, "Declare logo_url too.")
    elif (point := point_states(environment).get("hot_linking")) is not None and not point.is_done:
        rule = "some web sites disallow hot-linking of images, and then the logo does not appear"
        way_out = f"Check it, then confirm it: erp_mail_confirmed: [{point.name}]."
        findings.warn("erp_mail_settings.logo_url", url, rule, environment.transport.source, way_out)


def _batches(environment: Environment, findings: Findings) -> None:
    _mails, batch, interval = _pace(environment)
    source = environment.transport.source
    if (batch is None) != (interval is None):
        missing = "batch_interval" if interval is None else "max_mails_per_batch"
        rule = "Maximum Mails per Batch and Batch Interval work together: a pause after each batch"
        if not findings.has_error(f"erp_mail_settings.{missing}"):
            findings.error(f"erp_mail_settings.{missing}", None, rule, source, "Declare both, or neither.")
    elif interval == 0:
        rule = "without a pause all mails leave at once, which counts as spamming"
        findings.warn("erp_mail_settings.batch_interval", interval, rule, source, "Set some seconds.")
    elif batch is None:
        rule = "nothing limits how many mails leave in a short time, which counts as spamming"
        findings.warn("erp_mail_settings.max_mails_per_batch", None, rule, source, "Declare it, with batch_interval.")


def _limits(environment: Environment, findings: Findings) -> None:
    limits, sender = environment.service.limits, environment.sender("environment")
    day = limits.get("messages_per_day")
    if sender is not None and sender.domain in (environment.service.domains.value or []):
        day = limits.get("messages_per_day_private", day)
    for unit, limit, seconds in (("day", day, _DAY), ("minute", limits.get("messages_per_minute"), _MINUTE)):
        if limit is not None:
            _limit(environment, limit, unit, seconds, findings)


def _limit(environment: Environment, limit: Fact, unit: str, seconds: int, findings: Findings) -> None:
    mails, batch, interval = _pace(environment)
    if batch is None or interval is None:
        batch, interval = mails or 0, 0
    most = most_mails(seconds, batch, interval) if batch else None
    count = mails if most is None else min(most, mails) if mails is not None else most
    if count is None or count <= limit.value:
        return
    given = "mails" if mails is None else f"of {mails} mails"
    told = f"up to {count} {given} may leave within a {unit}; {environment.service.title} takes at most {limit.value}"
    source = limit.source or environment.transport.source
    where = "erp_mail_settings.expected_mails" if mails is not None else "erp_mail_settings.max_mails_per_batch"
    findings.warn(
        where, mails if mails is not None else batch, told, source, "Send less, slower, or through another service."
    )


def _told(seconds: int) -> str:
    minutes, rest = divmod(seconds, _MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {rest} s" if hours else f"{minutes} min {rest} s"
