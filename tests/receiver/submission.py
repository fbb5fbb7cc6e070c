# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server that one hands mail in to: Postfix with accounts of Dovecot, and Dovecot's IMAP on the same mailbox."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailroom.erp.tests.receiver.daemon import Daemon
from ansible_collections.mailroom.erp.tests.receiver.postfix import Postfix
from ansible_collections.mailroom.erp.tests.servers.entra.tokens import signer

ACCOUNTS = {"erp": "canary-7f3a9c1e5b", "post": "canary-2b8d4f6a1c", "erp@tryton": "canary %2f+ @/?#&=3b"}
"""User and password; ``post`` reads the mailbox; the last has all that a URI must quote."""
SENDER, OTHER_SENDER = "erp@acme.example", "director@acme.example"

# Sockets of Dovecot are found from its own folder; a mailbox of nobody's, as Postfix writes it.
_DOVECOT = """\
base_dir = %(folder)s/run
state_dir = %(folder)s/state
log_path = %(folder)s/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <%(folder)s/certificate.pem
ssl_key = <%(folder)s/key.pem
auth_mechanisms = plain login
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:%(maildir)s:INDEX=MEMORY:CONTROL=%(folder)s/control
passdb {
  driver = passwd-file
  args = scheme=PLAIN %(folder)s/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%(folder)s/home
}
service auth {
  unix_listener %(folder)s/sasl {
    mode = 0666
  }
}
"""

# What Postfix reads last counts. AUTH is offered after TLS only, and each sender belongs to one account.
_SUBMISSION = f"""
inet_interfaces = 127.0.0.1
smtpd_milters =
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = %(dovecot)s/certificate.pem
smtpd_tls_key_file = %(dovecot)s/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %(dovecot)s/sasl
smtpd_sender_login_maps = inline:{{ {SENDER}=erp, {OTHER_SENDER}=director }}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
"""


class Dovecot(Daemon):
    """Accounts for Postfix, and IMAP with TLS on 127.0.0.1."""

    PROGRAM = "dovecot"
    PACKAGE = "dovecot-imapd"
    ADDRESS = ("127.0.0.1", 993)

    def __init__(self, folder: Path, maildir: Path) -> None:
        """Start it.

        :param maildir: that the account ``post`` reads
        """
        self._maildir = maildir
        super().__init__(folder)

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def configure(self) -> None:
        authority = signer("mailroom test authority")
        (self.folder / "ca.pem").write_text(authority.certificate_pem, encoding="ascii")
        signer("127.0.0.1", authority).write(self.folder)
        values = {"folder": self.folder, "maildir": self._maildir}
        (self.folder / "dovecot.conf").write_text(_DOVECOT % values, encoding="ascii")
        users = "".join(f"{user}:{{PLAIN}}{password}\n" for user, password in ACCOUNTS.items())
        (self.folder / "users").write_text(users, encoding="ascii")
        for name in ("home", "control"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o777)

    def command(self) -> list[str]:
        return ["-F", "-c", str(self.folder / "dovecot.conf")]

    def log(self) -> str:
        file = self.folder / "dovecot.log"
        return super().log() + (file.read_text(errors="replace") if file.exists() else "")

    def stop(self) -> None:
        """End it with all its processes."""
        self._process.terminate()
        self._process.wait(10)


class Submission(Postfix):
    """Postfix on 127.0.0.1, port 587, which takes mail of accounts only.

    :param dovecot: knows the accounts
    """

    ADDRESS = ("127.0.0.1", 587)

    def __init__(self, folder: Path, dovecot_folder: Path) -> None:
        self._dovecot = dovecot_folder
        super().__init__(folder)

    def configure(self) -> None:
        super().configure()
        with (self.folder / "main.cf").open("a", encoding="ascii") as main:
            main.write(_SUBMISSION % {"dovecot": self._dovecot})
        master = self.folder / "master.cf"
        services = master.read_text().replace("192.0.2.1:25 inet", "127.0.0.1:587 inet")
        master.write_text(f"{services}tlsmgr unix - - n 1000? 1 tlsmgr\n", encoding="ascii")
