# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A company's own relay: Postfix that takes mail of accounts over TLS, and sends it on to the receiver."""

from __future__ import annotations

import re
import time

from ansible_collections.mailroom.erp.tests.receiver.send import Reply
from ansible_collections.mailroom.erp.tests.receiver.services import LISTED
from ansible_collections.mailroom.erp.tests.receiver.submission import Submission

_SECONDS = 30.0
_SENT = re.compile(r" status=\w+ \((?:host \S+ said: )?(\d{3} .*?)(?: \(in reply to [\w ]+\))?\)$", re.MULTILINE)

# One address of ours for all that leaves, and a name that is not checked by anybody.
_RELAY = f"""
virtual_mailbox_domains =
smtp_bind_address = {LISTED}
myhostname = mail.tryton.example
smtp_host_lookup = dns
smtpd_sender_login_maps = static:erp@tryton
"""
_SERVICES = """\
smtp unix - - n - - smtp
127.0.0.1:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
"""


class OutgoingRelay(Submission):
    """Takes mail on 127.0.0.1, port 587 by STARTTLS and port 465 by TLS, and sends it from one address."""

    def configure(self) -> None:
        super().configure()
        main = self.folder / "main.cf"
        lines = [line for line in (main.read_text(encoding="ascii") + _RELAY).splitlines() if line]
        # postlogd warns of each line that a later one overrides, to itself, and stands still after ten of them
        settings = {line.partition("=")[0].strip(): line for line in lines}
        main.write_text("".join(f"{line}\n" for line in settings.values()), encoding="ascii")
        with (self.folder / "master.cf").open("a", encoding="ascii") as master:
            master.write(_SERVICES)

    def replies(self) -> list[Reply]:
        """What receivers have said to the messages that were sent on, in order."""
        maillog = (self.folder / "maillog").read_text(errors="replace")
        return [Reply(int(text[:3]), text[4:]) for text in _SENT.findall(maillog)]

    def reply_after(self, count: int) -> Reply:
        """Wait for the receiver's reply to one more message.

        :param count: how many there were before
        :raises AssertionError: there is none; the message holds the log
        """
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if len(found := self.replies()) > count:
                return found[count]
            time.sleep(0.05)
        raise AssertionError(f"nothing was sent on:\n{self.log()}")
