# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Where the secrets of several environments go: one file per customer, and what the sheet says about it."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultLib
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import ENTRA_RULES
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.plugin_utils.files.vault_file import SECRETS_VARIABLE, SecretFile

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class SecretFiles:
    """The files of the environments of one task.

    :param arguments: of ``entra_environments``; :meth:`fill_in` completes them
    :param vault: with the secrets that this run of Ansible was given
    """

    def __init__(self, arguments: dict[str, Any], vault: VaultLib) -> None:
        self.returns_secrets = arguments.get("hand_over") == "return"
        self._entries = {
            one["environment"]: one for one in arguments.get("environments") or [] if one.get("application")
        }
        self._files: dict[str, SecretFile] = {}
        self._of: dict[str, SecretFile] = {}
        self._held: set[str] = set()
        self.unstored: dict[str, str] = {}
        """The environments whose entries could not be stored when that was last tried, each with the reason."""
        self.problems: dict[str, str] = {}
        """Why nothing can be kept for an environment: its customer's name is no name of a file, or that file is of no
        use. Environments of other files are not concerned."""
        for name, entry in self._entries.items():
            with self._told_of([name]):
                file = self._path(arguments, name, str(entry.get("customer") or tenant_of(arguments, entry)))
                known = self._files.setdefault(str(file), SecretFile(file, vault, encrypt=not self.returns_secrets))
                self._of[name] = known

    def fill_in(self) -> None:
        """Tell each credential what is stored, and see that secrets could be stored at all; else that is a problem."""
        for file in self._files.values():
            names = self._names(file)
            with self._told_of(names):
                held, asked = file.read(), file.asked()
                self._held |= held.keys() & set(names)
                credentials = {name: self._entries[name].get("credential") for name in names}
                if any(credentials.values()):
                    file.check()
                for name, credential in credentials.items():
                    if credential:
                        credential["stored_key_id"] = str((held.get(name) or {}).get("key_id") or "")
                        credential["asked_since"] = asked.get(name)

    def _names(self, file: SecretFile) -> list[str]:
        return [name for name, of in self._of.items() if of is file]

    @contextlib.contextmanager
    def _told_of(self, names: Iterable[str]) -> Iterator[None]:
        """What is refused inside is a problem of these environments, which are left out from then on."""
        try:
            yield
        except Refused as refused:
            self.problems |= dict.fromkeys(names, str(refused))
            self._of = {name: file for name, file in self._of.items() if name not in self.problems}

    def prove(self, environments: Iterable[str]) -> None:
        """Prove the places of some environments, each file once, and note that their secrets are about to be asked for.

        Places that are somebody else's are for others to prove. A trial that failed is a problem of all environments of
        the file.

        :param environments: their names
        """
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = set(environments)
        for file in self._files.values():
            asking = [name for name in self._names(file) if name in wanted]
            with self._told_of(self._names(file)):
                if asking and not self.returns_secrets:
                    file.prove()
                if asking:
                    file.ask(asking, now)

    def place_of(self, environment: str) -> dict[str, str] | None:
        """The file and the variable of a secret; None when it is not in a file of ours.

        :param environment: its name
        :returns: {file, variable}
        """
        credential = self._entries.get(environment, {}).get("credential")
        if self.returns_secrets or not credential or environment not in self._of:
            return None
        return {"file": str(self._of[environment].path), "variable": f"{SECRETS_VARIABLE}.{environment}.secret"}

    def store_made(self, found: Mapping[str, Mapping[str, Any]], made: Mapping[str, str]) -> bool:
        """Store new secrets, and take away those of environments that are no more.

        :param found: the module's ``environments``
        :param made: environment to the value of its new secret
        :returns: whether anything was written
        """
        entries: dict[str, dict[str, Any] | None] = {
            name: {**stored_entry(found[name]), "secret": value} for name, value in made.items()
        }
        entries |= dict.fromkeys(self._gone(found))
        return self.store(entries)

    def left_over(self, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """The environments whose secrets are stored still, although their applications went in a run before.

        :param found: the module's ``environments``
        """
        return [name for name in self._gone(found) if name in self._held and not found[name]["changed"]]

    def _gone(self, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """The environments that are to have no application, and have none, or will."""
        absent = [name for name, entry in self._entries.items() if entry["application"].get("state") == "absent"]
        return [name for name in absent if name in found and not found[name]["problems"]]

    def store(self, entries: Mapping[str, Mapping[str, Any] | None]) -> bool:
        """Store entries in the files of their environments; a file that cannot be written stops no other.

        :param entries: what is to be kept, by environment; None takes it away
        :returns: whether anything was written
        """
        written = False
        for file in dict.fromkeys(self._of[name] for name in entries if name in self._of):
            own = {name: one for name, one in entries.items() if self._of.get(name) is file}
            self.unstored = {name: why for name, why in self.unstored.items() if name not in own}
            try:
                if file.path.exists() or any(one is not None for one in own.values()):
                    written = file.store(own) or written
            except Refused as refused:
                self.unstored |= dict.fromkeys(own, str(refused))
        return written

    def _path(self, arguments: Mapping[str, Any], environment: str, customer: str) -> Path:
        folder = arguments.get("secrets_dir")
        if not folder:
            rule = "a secret needs a place to go"
            raise Refused(ENTRA_RULES.problem(environment, "secrets_dir", None, rule, "Name a folder."))
        if not _NAME.fullmatch(customer):
            rule = "a customer's name is the name of its file too: letters, digits, dots, hyphens and underscores"
            way_out = "Choose another name."
            raise Refused(ENTRA_RULES.problem(environment, "mail_entra_customer", customer, rule, way_out))
        return Path(str(folder)).expanduser() / f"{customer}.yml"


def tenant_of(arguments: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """The id of the tenant of an environment, as it was given.

    :param arguments: of ``entra_environments``
    :param entry: one of its ``environments``
    """
    return str(entry.get("tenant_id") if arguments.get("tenants") else arguments["tenant"]["tenant_id"])


def stored_entry(found: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept beside a secret.

    :param found: one of the module's ``environments``
    """
    return {
        "directory_id": found["directory_id"],
        "application_id": found["app_id"],
        "key_id": found["key_id"],
        "valid_until": str(found["end_date_time"])[:10],
    }
