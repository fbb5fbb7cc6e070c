# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the receiver: OpenDKIM checks signatures, OpenDMARC decides by what was found (RFC 7489)."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.mailroom.erp.tests.receiver.daemon import Daemon

AUTHSERV_ID = "mx.receiver.example"
"""Who says so, in Authentication-Results (RFC 8601 section 2.5); each filter trusts the others by this name."""

_SUFFIXES = Path("/usr/share/publicsuffix/public_suffix_list.dat")

# On-* accept: a broken signature is no signature (RFC 6376 section 6.1), and what becomes of the mail is DMARC's word
_OPENDKIM = f"""\
Socket inet:8891@127.0.0.1
UserID opendkim
Mode v
AuthservID {AUTHSERV_ID}
AlwaysAddARHeader true
InternalHosts 127.0.0.1
Nameservers 127.0.0.1
MinimumKeyBits 1024
On-Default accept
Syslog false
"""

# SPFSelfValidate false: the SPF service's result counts, not one that OpenDMARC's own library would find
_OPENDMARC = f"""\
Socket inet:8893@127.0.0.1
UserID opendmarc
AuthservID {AUTHSERV_ID}
TrustedAuthservIDs {AUTHSERV_ID}
IgnoreHosts %(folder)s/ignored
HistoryFile %(folder)s/history/file
PublicSuffixList %(folder)s/public_suffix_list.dat
RejectFailures true
HoldQuarantinedMessages true
SPFIgnoreResults false
SPFSelfValidate false
Syslog false
"""


class OpenDkim(Daemon):
    """Writes what became of each signature into Authentication-Results."""

    PROGRAM = "opendkim"
    PACKAGE = "opendkim"
    ADDRESS = ("127.0.0.1", 8891)

    def configure(self) -> None:
        (self.folder / "conf").write_text(_OPENDKIM)

    def command(self) -> list[str]:
        return ["-f", "-x", str(self.folder / "conf")]


class OpenDmarc(Daemon):
    """Reads the results for SPF and DKIM, and refuses or holds the mail as the policy of its From domain asks."""

    PROGRAM = "opendmarc"
    PACKAGE = "opendmarc"
    ADDRESS = ("127.0.0.1", 8893)

    def configure(self) -> None:
        (self.folder / "conf").write_text(_OPENDMARC % {"folder": self.folder})
        (self.folder / "ignored").write_text("127.0.0.1\n")
        # For a top-level domain that is not in the list the rule is "*" (publicsuffix.org). OpenDMARC does not know
        # that rule, and takes all of .example for one organisation.
        (self.folder / "public_suffix_list.dat").write_bytes(_SUFFIXES.read_bytes() + b"\nexample\n")
        (self.folder / "history").mkdir(mode=0o777)
        (self.folder / "history").chmod(0o777)

    def command(self) -> list[str]:
        return ["-f", "-c", str(self.folder / "conf")]

    def history(self) -> str:
        """What it noted of all messages so far, for aggregate reports; also of those that it refused."""
        file = self.folder / "history" / "file"
        return file.read_text() if file.exists() else ""
