# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small IMAP server over one Maildir: what a client needs to find one message and read its header (RFC 9051)."""

from __future__ import annotations

import contextlib
import email
import socket
import ssl
import tempfile
from pathlib import Path

from ansible_collections.mailroom.erp.tests.servers.entra.tokens import signer
from ansible_collections.mailroom.erp.tests.servers.scripted import ScriptedServer


class ImapServer(ScriptedServer):
    """IMAP on 127.0.0.1, for one user; the fields may be changed while it runs."""

    def __init__(self, maildir: Path, user: str, password: str, security: str = "implicit") -> None:
        """Start it.

        :param security: starttls or implicit
        """
        self.maildir, self.user, self.password, self.security = maildir, user, password, security
        self.refuses = ""
        """What is said to a LOGIN instead."""
        self.commands: list[str] = []
        self._files = tempfile.TemporaryDirectory(prefix="mailroom-imap-")
        ca = signer("mailroom test authority")
        self.ca_file = str(Path(self._files.name) / "ca.pem")
        Path(self.ca_file).write_text(ca.certificate_pem, encoding="ascii")
        certificate, key = signer("127.0.0.1", ca).write(Path(self._files.name))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        super().__init__(self._talk)

    def stop(self) -> None:
        """Stop it."""
        super().stop()
        self._files.cleanup()

    def imap_option(self) -> dict[str, object]:
        """The option ``fetch.imap`` that reaches this server."""
        account = {"user": self.user, "password": self.password}
        return {"host": "localhost", "port": self.port, "security": self.security, "ca_file": self.ca_file, **account}

    def _talk(self, connection: socket.socket) -> None:
        if self.security == "implicit":
            connection = self._context.wrap_socket(connection, server_side=True)
        connection.sendall(b"* OK ready\r\n")
        with contextlib.suppress(OSError, ssl.SSLError):
            while True:
                line = _line(connection)
                if not line:
                    return
                tag, _space, command = line.partition(" ")
                self.commands.append(command.split(" ")[0])
                connection.sendall(self._answer(tag, command))
                if command == "STARTTLS":
                    connection = self._context.wrap_socket(connection, server_side=True)

    def _answer(self, tag: str, command: str) -> bytes:
        done = f"{tag} OK done\r\n".encode()
        name = command.partition(" ")[0]
        if name == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + done
        if name == "LOGIN":
            good = command in (f'LOGIN {self.user} "{self.password}"', f'LOGIN "{self.user}" "{self.password}"')
            refused = self.refuses.format(command=command) or "[AUTHENTICATIONFAILED] no"
            return done if good and not self.refuses else f"{tag} NO {refused}\r\n".encode()
        if name == "EXAMINE" and "INBOX" not in command:
            return f"{tag} NO [NONEXISTENT] there is no such folder\r\n".encode()
        if name == "SEARCH":
            wanted = command.rpartition(" ")[2].strip('"')
            found = [number for number, one in enumerate(self._messages(), 1) if _has(one, "Subject", wanted)]
            return f"* SEARCH {' '.join(map(str, found))}\r\n".encode() + done
        if name == "FETCH":
            number = int(command.split(" ")[1])
            header = self._messages()[number - 1].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            return f"* {number} FETCH (BODY[HEADER] {{{len(header)}}}\r\n".encode() + header + b")\r\n" + done
        return done

    def _messages(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted((self.maildir / "new").iterdir())]


def _line(connection: socket.socket) -> str:
    line = b""
    while not line.endswith(b"\n"):
        more = connection.recv(1)
        if not more:
            return ""
        line += more
    return line.decode().strip()


def _has(message: bytes, name: str, value: str) -> bool:
    return value in str(email.message_from_bytes(message).get(name, ""))
