# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's mail server: Postfix on 192.0.2.1, with the SPF policy service policyd-spf and the filters."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from pathlib import Path

from ansible_collections.mailroom.erp.tests.receiver.daemon import LOG_CHARACTERS, Daemon
from ansible_collections.mailroom.erp.tests.receiver.milters import AUTHSERV_ID, OpenDkim, OpenDmarc
from ansible_collections.mailroom.erp.tests.servers.server import program

RECIPIENT = "post@receiver.example"
REPORTS = "dmarc@receiver.example"
"""Where aggregate reports are sent; they have a mailbox of their own."""

# mynetworks empty: nobody is trusted for where he comes from. The SPF service adds its result before the filters look.
_MAIN = f"""\
compatibility_level = 3.6
queue_directory = %(folder)s/queue
data_directory = %(folder)s/data
maillog_file = %(folder)s/maillog
maillog_file_prefixes = /
myhostname = {AUTHSERV_ID}
mydestination =
mynetworks =
inet_interfaces = 192.0.2.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
smtpd_tls_security_level = none
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/policyd-spf
policyd-spf_time_limit = 100
smtpd_milters = inet:%(opendkim)s, inet:%(opendmarc)s
milter_default_action = tempfail
virtual_mailbox_domains = {RECIPIENT.partition("@")[2]}
virtual_mailbox_maps = inline:{{ {{{REPORTS} = reports/}} }}, static:box/
virtual_mailbox_base = %(folder)s/mail
virtual_uid_maps = static:%(uid)d
virtual_gid_maps = static:%(gid)d
"""

_MASTER = """\
192.0.2.1:25 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
policyd-spf unix - n n - 0 spawn user=policyd-spf argv=%(policyd)s %(folder)s/policyd-spf.conf
"""

# It reports and refuses nothing: DMARC decides, by the result for MAIL FROM (RFC 7489 section 3.1.2). Where that is
# none, policyd-spf would report the one for HELO instead.
_POLICYD = f"""\
debugLevel = 0
TestOnly = 1
HELO_reject = No_Check
Mail_From_reject = False
PermError_reject = False
TempError_Defer = False
skip_addresses = 127.0.0.0/8
Header_Type = AR
Authserv_Id = {AUTHSERV_ID}
"""


class Postfix(Daemon):
    """A whole Postfix of its own: configuration, queue, log and mail below one folder."""

    PROGRAM = "postfix"
    PACKAGE = "postfix"
    ADDRESS = ("192.0.2.1", 25)

    def configure(self) -> None:
        nobody = pwd.getpwnam("nobody")
        values = {
            "folder": self.folder,
            "opendkim": "{}:{}".format(*OpenDkim.ADDRESS),
            "opendmarc": "{}:{}".format(*OpenDmarc.ADDRESS),
            "policyd": program("policyd-spf", "postfix-policyd-spf-python"),
            "uid": nobody.pw_uid,
            "gid": nobody.pw_gid,
        }
        for name, text in {"main.cf": _MAIN, "master.cf": _MASTER, "policyd-spf.conf": _POLICYD}.items():
            (self.folder / name).write_text(text % values)
        for name, owner in {"queue": "root", "data": "postfix", "mail": "nobody"}.items():
            (self.folder / name).mkdir(mode=0o755)
            os.chown(self.folder / name, pwd.getpwnam(owner).pw_uid, grp.getgrnam("root").gr_gid)

    def command(self) -> list[str]:
        return ["-c", str(self.folder), "start-fg"]

    def stop(self) -> None:
        """Stop it by its own command: what was started is a script, and the master process is not in its group."""
        subprocess.run([program("postfix", "postfix"), "-c", str(self.folder), "stop"], check=True, capture_output=True)
        self._process.wait(10)

    def log(self) -> str:
        maillog = self.folder / "maillog"
        return super().log() + (maillog.read_text(errors="replace")[-LOG_CHARACTERS:] if maillog.exists() else "")

    @property
    def reports(self) -> Path:
        """The Maildir of :data:`REPORTS`."""
        return self.folder / "mail" / "reports"

    def delivered(self) -> list[Path]:
        """The messages in the mailbox."""
        return list((self.folder / "mail" / "box" / "new").glob("*"))

    def held(self, queue_id: str) -> str | None:
        """The header of a message that waits for a person's decision.

        :returns: None when there is no such message
        """
        if not (self.folder / "queue" / "hold" / queue_id).exists():
            return None
        command = [program("postcat", "postfix"), "-c", str(self.folder), "-hq", queue_id]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
