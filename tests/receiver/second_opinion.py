# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``openssl s_client`` sees of a mail server: the other opinion on smtp_probe."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from ansible_collections.mailroom.erp.tests.servers.server import program

_FLAGS = {"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2", "1.3": "-tls1_3"}
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What one run saw: the version that was agreed on (None: no TLS), OpenSSL's number for the certificate (0 is
    right), and the lines of EHLO after TLS."""

    version: str | None
    verified: int | None
    offers: tuple[str, ...]

    @property
    def auth(self) -> tuple[str, ...]:
        """The mechanisms, sorted."""
        return tuple(sorted(word for line in self.offers if line.startswith("AUTH ") for word in line.split()[1:]))

    @property
    def size(self) -> str | None:
        """What is behind SIZE."""
        return next((line.removeprefix("SIZE").strip() for line in self.offers if line.startswith("SIZE")), None)


def second_opinion(port: int, implicit: bool, ca_file: str, version: str | None = None) -> SecondOpinion:
    """Run it against 127.0.0.1 as ``localhost``.

    :param port: of the server
    :param implicit: TLS comes first
    :param ca_file: whom to trust
    :param version: speak this version only, with all ciphers and no check; unless given, as it does by itself
    """
    command = [program("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"]
    command += ["-crlf", "-ign_eof", *([] if implicit else ["-starttls", "smtp"])]
    if version is None:
        command += ["-CAfile", ca_file, "-no-CApath", "-no-CAstore", "-verify_hostname", "localhost"]
    else:
        command += [_FLAGS[version], "-cipher", "ALL:@SECLEVEL=0"]
    words = "EHLO second.test\nQUIT\n"
    ran = subprocess.run(command, input=words.encode(), capture_output=True, timeout=_SECONDS, check=False)
    return _read(ran.stdout.decode(errors="replace"))


def _read(output: str) -> SecondOpinion:
    agreed = re.search(r"^New, (?:TLS|SSL)v[\d.]+, Cipher is (?!\(NONE\))", output, re.MULTILINE)
    spoken = re.search(r"^\s*Protocol\s*: TLSv(1(?:\.\d)?)|^New, TLSv(1\.3)", output, re.MULTILINE)
    code = re.search(r"Verif(?:y return code|ication error)?: (\d+)", output)
    version = next(filter(None, spoken.groups()), None) if agreed and spoken else None
    offers = re.findall(r"^250[- ](.*?)\r?$", output, re.MULTILINE)
    named = "1.0" if version == "1" else version
    return SecondOpinion(named, int(code[1]) if code else None, tuple(offers))
