# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The vars file of one customer that holds the secrets of its applications, encrypted with Ansible Vault.

With ``encrypt=False`` it holds everything but the secrets, which are then kept elsewhere.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, match_encrypt_secret
from ansible_collections.mailroom.erp.plugins.module_utils.atomic_file import replace_file, unfinished_files
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import StillLocked, hold
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.plain_values import plain_value

SECRETS_VARIABLE = "mail_entra_secrets"
"""The variable in the file: environment to {directory_id, application_id, key_id, valid_until, secret}."""

_TRIAL = "mail_entra_trial"
_ASKED = "mail_entra_asked"
"""Environment to since when a secret was asked for that is not stored yet."""

_SECONDS = 60.0
_HEAD = "---\n# Written by mailroom.erp; the role mail_entra keeps it up to date.\n"

SecretEntries = dict[str, dict[str, Any]]


class SecretFile:
    """One file; what is not ours in it stays, but for comments.

    :param path: need not exist
    :param vault: with the secrets that this run of Ansible was given
    :param encrypt: whether the file holds secrets
    """

    def __init__(self, path: Path, vault: VaultLib, *, encrypt: bool = True) -> None:
        self.path, self._vault, self._encrypt = path, vault, encrypt

    def read(self) -> SecretEntries:
        """What is stored, by environment.

        :raises Refused: the file cannot be read or decrypted, or holds something else
        """
        found = self._load().get(SECRETS_VARIABLE) or {}
        if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
            raise self._refused(
                f"{SECRETS_VARIABLE} is not a dictionary of environments", "Correct the file, or move it away."
            )
        return found

    def check(self) -> None:
        """See that the file could be written, without writing anything.

        :raises Refused: there is no vault password to encrypt it with
        """
        if self._encrypt:
            self._key()

    def prove(self) -> None:
        """Write a trial value, read it back, and take it away again; the file is afterwards what it was.

        :raises Refused: one of that failed
        """
        trial = secrets.token_urlsafe()
        try:
            with self._locked():
                before = self.path.read_bytes() if self.path.exists() else None
                content = self._kept()
                try:
                    self._write({**content, _TRIAL: trial})
                    held = self._load().get(_TRIAL)
                finally:
                    self._put_back(before)
        except (OSError, StillLocked) as error:
            raise self._unwritable(error) from None
        if held != trial:
            raise self._refused("a trial value was written, but not read back", "Look at the file system.")

    def asked(self) -> dict[str, str]:
        """Since when secrets were asked for that have not been stored, by environment (ISO 8601).

        :raises Refused: the file cannot be read or decrypted
        """
        return dict(self._load().get(_ASKED) or {})

    def ask(self, environments: Iterable[str], now: str) -> None:
        """Note that secrets are about to be asked for, so that one that gets lost is known to be nobody's.

        :param environments: their names; the time of one that was noted before stays
        :param now: ISO 8601, UTC
        :raises Refused: it cannot be written
        """
        try:
            with self._locked():
                content, held = self._kept(), self.asked()
                wanted = {**dict.fromkeys(environments, now), **held}
                if wanted != held:
                    self._write({**content, _ASKED: wanted})
        except (OSError, StillLocked) as error:
            raise self._unwritable(error) from None

    def store(self, entries: Mapping[str, Mapping[str, Any] | None]) -> bool:
        """Keep what was made; None takes an environment away. Written only when it differs, decrypted, from what is.

        :param entries: what is to be kept, by environment
        :returns: whether the file was written
        :raises Refused: it cannot be written, or not be read back
        """
        try:
            with self._locked():
                content, held = self._kept(), self.read()
                wanted = {**held, **{name: dict(one) for name, one in entries.items() if one is not None}}
                wanted = {name: one for name, one in wanted.items() if entries.get(name, one) is not None}
                asked = {name: since for name, since in self.asked().items() if name not in entries}
                if wanted == held and asked == self.asked():
                    return False
                others = {name: value for name, value in content.items() if name not in (SECRETS_VARIABLE, _ASKED)}
                more = {_ASKED: asked} if asked else {}
                self._write({**others, SECRETS_VARIABLE: dict(sorted(wanted.items())), **more})
                if self.read() != wanted:
                    raise self._refused("it was written, but something else is read back", "Look at the file system.")
        except (OSError, StillLocked) as error:
            raise self._unwritable(error) from None
        return True

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        self.path.parent.parent.mkdir(parents=True, exist_ok=True)
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        return hold(self.path.parent / ".lock", _SECONDS)

    def _kept(self) -> dict[str, Any]:
        """What is in the file, without the trial value of a run that was killed."""
        return {name: value for name, value in self._load().items() if name != _TRIAL}

    def _load(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        try:
            data = self.path.read_bytes()
            text = self._vault.decrypt(data) if self._encrypt else data
            found = require("yaml").safe_load(text)
        except (OSError, AnsibleError):
            way_out = "Give the vault password of the file with --vault-id, or move the file away."
            raise self._refused("it cannot be read, or not with the vault passwords of this run", way_out) from None
        except require("yaml").YAMLError:
            # its text would quote the file
            raise self._refused("it is no YAML", "Correct the file, or move it away.") from None
        if found is not None and not isinstance(found, dict):
            raise self._refused("it is no file of variables", "Correct the file, or move it away.")
        return found or {}

    def _write(self, content: Mapping[str, Any]) -> None:
        text = _HEAD + require("yaml").safe_dump(plain_value(content), sort_keys=False, allow_unicode=True)
        data = text.encode()
        if self._encrypt:
            vault_id, key = self._key()
            data = self._vault.encrypt(data, key, vault_id)
        # Whoever writes holds the lock, so these are of runs that were killed.
        for left in unfinished_files(self.path.parent).get(self.path.name, []):
            left.unlink(missing_ok=True)
        replace_file(self.path, data)

    def _key(self) -> tuple[str, Any]:
        """The vault id and secret that the file has, else those that Ansible would encrypt a new file with."""
        try:
            if self.path.exists():
                vault_id, key = self._vault.decrypt_and_get_vault_id(self.path.read_bytes())[1:]
                return vault_id, key
            vault_id, key = match_encrypt_secret(self._vault.secrets, constants.DEFAULT_VAULT_ENCRYPT_IDENTITY)
            return vault_id, key
        except (AnsibleError, OSError, TypeError):
            rule = "secrets are stored encrypted, and this run has no vault password for that"
            raise self._refused(rule, "Give one, e.g. --vault-id acme@prompt.") from None

    def _put_back(self, before: bytes | None) -> None:
        if before is None:
            self.path.unlink(missing_ok=True)
        else:
            replace_file(self.path, before)

    def _unwritable(self, error: Exception) -> Refused:
        reason = error.strerror if isinstance(error, OSError) else "another run holds it"
        return self._refused(f"it cannot be written: {reason}", "Correct the folder or its rights, and run again.")

    def _refused(self, rule: str, way_out: str) -> Refused:
        where = "mail_entra_secrets_dir"
        return Refused(ENTRA_RULES.problem(self.path.name, where, str(self.path), rule, way_out))
