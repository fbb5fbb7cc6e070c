# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""What the rules of one ERP system may say beside its data file, and what holds unless they say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.environment import (
    DeclaredSender,
    Environment,
    Findings,
)
from ansible_collections.mailroom.erp.plugins.plugin_utils.declaration.field_values import host_of, port_of


@dataclass(frozen=True, slots=True)
class MessageKind:
    """One kind of message that an ERP sends. ``keys`` says what it belongs to: kind of sender to key, e.g.
    {administrations: "1"}."""

    kind: str
    text: str
    keys: Mapping[str, str] = field(default_factory=dict)


class SystemRules:
    """The rules of one system; as it stands, those of a system whose data file says all."""

    def judge(self, environment: Environment, findings: Findings) -> None:
        """Judge an environment that is present, by the rules that its data file cannot say.

        :param environment: an environment that was understood
        :param findings: takes what is wrong
        """

    def also_sends(self, environment: Environment) -> list[tuple[str, DeclaredSender]]:
        """Name the services that send beside the environment's own: (service, the sender that it sends as).

        :param environment: an environment that was understood
        """
        return []

    def messages(self, environment: Environment) -> list[MessageKind]:
        """Every kind of message for which another sender may be taken: here one for each sender.

        :param environment: an environment that was understood
        """
        labels = {kind.id: kind.label for kind in environment.system.senders}
        return [
            MessageKind(one.kind, labels[one.kind], {one.kind: one.key} if one.key is not None else {})
            for one in environment.senders
        ]

    def sender_of(self, environment: Environment, message: MessageKind) -> DeclaredSender | None:
        """The sender that the ERP takes for a message; None when it has none.

        :param environment: an environment that was understood
        :param message: one of :meth:`messages`
        """
        return environment.sender(message.kind, message.keys.get(message.kind))

    def is_unsigned(self, environment: Environment) -> bool:
        """Tell whether the declaration itself says that mail is not signed with DKIM as the sender's domain.

        :param environment: an environment that was understood
        """
        return False

    def server(self, environment: Environment) -> dict[str, Any]:
        """What a look at the mail server must find: host, port, security (none, starttls, implicit, opportunistic),
        verify (the certificate), sign_in, mechanism and max_tls; None where nothing is said.

        :param environment: an environment that was understood
        """
        port = port_of(environment.transport, environment.values)
        return {
            "host": host_of(environment.transport, environment.values),
            "port": port,
            "security": environment.service.security(port) if port is not None else None,
            "verify": True,
            "sign_in": environment.has_password,
            "mechanism": None,
            "max_tls": None,
            "min_size": None,
        }

    def sends_from(self, environment: Environment) -> str:
        """Where the mail leaves from, in words: who looks at the server from another place sees it from there only.

        :param environment: an environment that was understood
        """
        return f"the machine that {environment.system.title} runs on"

    def test_address(self, environment: Environment) -> str | None:
        """The address that the ERP itself sends its test mail to; None when it has none.

        :param environment: an environment that was understood
        """
        return None

    def remarks(self, environment: Environment) -> list[str]:
        """Sentences for the sheet that are worked out from the values, in the language of the system.

        :param environment: an environment without errors
        """
        return []
