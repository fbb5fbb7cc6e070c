# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Makes, keeps and removes the credentials of an application; a new one is there before an old one goes."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mailroom.erp.plugins.module_utils.entra.application import (
    missing_application,
    read_application,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.credential import (
    CredentialPlan,
    WantedCredential,
    credential_time,
    plan_credential,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import (
    SEEN_IN_A_ROW,
    AnswerLost,
    Graph,
    Json,
    NotSeen,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.secret_policy import SecretPolicies
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused

_TABLES = {"secret": "passwordCredentials", "certificate": "keyCredentials"}
_NO_PASSWORD = "No password credential"
_NEEDED = ("secretText", "keyId", "displayName", "startDateTime", "endDateTime")
_TRIES = 3
_YOUNG = datetime.timedelta(hours=1)


@dataclass(slots=True)
class CredentialOutcome:
    """What came of a run. ``held`` are the credentials of ours that were there before; ``secret`` is the value of a new
    secret, which exists nowhere else."""

    app_id: str | None
    plan: CredentialPlan
    held: list[Json]
    current: Json | None = None
    secret: str | None = field(default=None, repr=False)
    warnings: list[str] = field(default_factory=list)
    answer_lost: bool = False


@dataclass(slots=True)
class Keeper:
    """The secrets or certificates of one application."""

    graph: Graph
    wanted: WantedCredential
    now: datetime.datetime
    may_create: bool = True
    """Whether a new one may be made; else a run only says that it is due."""
    policies: SecretPolicies | None = None
    """Those of the tenant, where several applications share them."""
    on_made: Callable[[CredentialOutcome], None] | None = None
    """Told of a new secret as soon as there is one, before anything that may take its time or fail."""

    def keep(self, write: bool) -> CredentialOutcome:
        """Bring the credential to what was declared.

        :param write: False in check mode, where an application that is only planned has no credentials yet
        :raises Refused: nothing has been written
        :raises GraphError: Graph refuses something
        :raises AnswerLost: no try to make a secret was answered; nothing that was made is left
        """
        application = self._read()
        if application is None and write and self.wanted.present:
            raise Refused(missing_application(self.wanted))
        planned = plan_credential(self.wanted, self._held(application), self.now)
        if planned.create and self.wanted.kind == "secret":
            self._check_policy(application, planned)
        held_back = planned.create and not self.may_create
        if application is None or not write or not planned.changes or held_back:
            return self._outcome(application, planned)
        if planned.create:
            # A run that died may have made one that is not seen yet.
            application = self._steady()
            warnings = planned.warnings
            planned = plan_credential(self.wanted, self._held(application), self.now)
            planned.warnings = list(dict.fromkeys([*warnings, *planned.warnings]))
        outcome = self._outcome(application, planned)
        if planned.create:
            self._drop_lost(application, planned)
            self._make(application, outcome)
        self._finish(application, outcome)
        return outcome

    def withdraw(self, key_id: str) -> None:
        """Remove a secret of ours whose value could not be stored, so that none is left that nobody has.

        :param key_id: of the secret; one that is not ours, or is gone, is left alone
        :raises GraphError: Graph refuses
        :raises NotSeen: the application does not look the same for long enough
        """
        application = self._steady()
        if key_id in self._key_ids_of(application):
            self._remove_secret(application, key_id)

    def new_end(self) -> str:
        """The day on which a new one would end."""
        certificate = self.wanted.certificate
        end = certificate.end if certificate else self.now + datetime.timedelta(days=self.wanted.lifetime)
        return end.strftime("%Y-%m-%d")

    def _check_policy(self, application: Json | None, planned: CredentialPlan) -> None:
        """See that the tenant lets a secret of this life be made, before anything is asked for.

        :raises Refused: it does not
        """
        policy = (self.policies or SecretPolicies(self.graph, self.now)).of(application)
        if policy.doubt is not None:
            # the same for all applications of the tenant, so it names none
            planned.warnings.append(f"{policy.doubt}; if one does, Graph refuses the secret")
        elif policy.forbidden:
            rule = "an app management policy of the tenant forbids new secrets for this application"
            way_out = "Use kind: certificate or federated, or have the application excepted in Entra."
            raise Refused(self.wanted.problem("kind", "secret", rule, way_out))
        elif policy.longest is not None and policy.longest < self.wanted.lifetime:
            rule = f"an app management policy of the tenant lets a secret live for {policy.longest} days at most"
            way_out = f"Set lifetime: {policy.longest} and renew_before below that, or have the application excepted."
            raise Refused(self.wanted.problem("lifetime", str(self.wanted.lifetime), rule, way_out))

    def _drop_lost(self, application: Json, planned: CredentialPlan) -> None:
        """Remove what nobody has before another one is made, so that runs that die in a row do not leave a heap."""
        for one in planned.lost:
            if one in planned.remove:
                self._remove_secret(application, one["keyId"])

    def _make(self, application: Json, outcome: CredentialOutcome) -> None:
        if self.wanted.certificate is not None:
            self._change_keys(application, [self._key()], [])
        else:
            self._make_secret(application, outcome)

    def _finish(self, application: Json, outcome: CredentialOutcome) -> None:
        """Wait until the new one is seen, and remove what may go. A new secret is returned whatever happens here."""
        try:
            if outcome.plan.create:
                outcome.current = self._wait_for(outcome.current)
            if outcome.answer_lost and outcome.current:
                self._remove_strays(application, {*self._key_ids_of(application), outcome.current["keyId"]})
            self._remove(application, outcome.plan)
        except (GraphError, NotSeen) as error:
            if outcome.secret is None:
                raise
            outcome.warnings.append(f"the new secret was made, but: {error}")

    def _wait_for(self, made: Json | None) -> Json | None:
        """Wait until the new credential is seen; a certificate gets its key id from Graph."""
        found: list[Json] = []

        def look() -> bool:
            found[:] = [one for one in self._held(self._read()) if self._is(one, made)]
            return bool(found)

        self.graph.wait_for(self.wanted.subject, look)
        return found[0]

    def _is(self, one: Json, made: Json | None) -> bool:
        return bool(one["keyId"] == made["keyId"] if made else one["displayName"] == self.wanted.label)

    def _remove(self, application: Json, planned: CredentialPlan) -> None:
        """Remove what may go, and wait until it is gone; what was lost is removed by now."""
        if self.wanted.kind == "certificate" and planned.remove:
            self._change_keys(application, [], planned.remove)
        elif self.wanted.kind == "secret":
            for one in planned.remove:
                if one not in planned.lost:
                    self._remove_secret(application, one["keyId"])
        if planned.remove:
            gone = {one["keyId"] for one in planned.remove}
            self.graph.wait_for(self.wanted.subject, lambda: gone.isdisjoint(self._key_ids()))

    def _make_secret(self, application: Json, outcome: CredentialOutcome) -> None:
        """Make a secret. When an answer is lost, so is the value: what was made for nothing is removed again."""
        end = (self.now + datetime.timedelta(days=self.wanted.lifetime)).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"passwordCredential": {"displayName": self.wanted.label, "endDateTime": end}}
        young = self.now - credential_time(application, "createdDateTime") < _YOUNG
        path = f"applications/{application['id']}/addPassword"
        for attempt in range(_TRIES):
            try:
                made = self.graph.post_once(path, body, fresh=young, needs=_NEEDED)
            except AnswerLost:
                outcome.answer_lost = True
                if attempt + 1 == _TRIES:
                    self._remove_strays(application, self._key_ids_of(application))
                    raise
                self.graph.pace.sleep(self.graph.pace.poll_interval)
            else:
                outcome.secret, outcome.current = str(made.pop("secretText")), made
                if self.on_made is not None:
                    self.on_made(outcome)
                return

    def _remove_strays(self, application: Json, known: set[str]) -> None:
        for key_id in self._key_ids_of(self._steady()) - known:
            self._remove_secret(application, key_id)

    def _remove_secret(self, application: Json, key_id: str) -> None:
        try:
            self.graph.post(f"applications/{application['id']}/removePassword", {"keyId": key_id})
        except GraphError as error:
            if _NO_PASSWORD not in error.message:
                raise

    def _key(self) -> Json:
        """The new certificate as Graph takes it; it counts from now on, so that the overlap can be told."""
        certificate = self.wanted.certificate
        if certificate is None:
            raise ValueError("there is no certificate")
        start = max(certificate.start, self.now)
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": certificate.content,
            "displayName": self.wanted.label,
            "startDateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "endDateTime": certificate.end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _change_keys(self, application: Json, new: list[Json], gone: list[Json]) -> None:
        """Write the whole list, as Graph wants it; what is sent without its key stays as it is.

        The list is read until it is steady, for a replica that lags behind would make us take away somebody's newest.
        """
        gone_ids = {one["keyId"] for one in gone}
        held = self._steady()["keyCredentials"]
        kept = [_without_key(one) for one in held if one["keyId"] not in gone_ids]
        self.graph.change(f"applications/{application['id']}", {"keyCredentials": [*kept, *new]})

    def _steady(self) -> Json:
        """The application once it looks the same several times in a row.

        :raises NotSeen: not within the timeout
        """
        looks: list[Json | None] = []

        def look() -> Json | None:
            looks.append(self._read())
            last = looks[-SEEN_IN_A_ROW:]
            return last[0] if len(last) == SEEN_IN_A_ROW and all(one == last[0] for one in last) else None

        return self.graph.until(self.wanted.subject, look)

    def _read(self) -> Json | None:
        # Certificates are read only when they are wanted: Graph allows 150 such requests a minute for a whole tenant.
        query = {"$select": f"id,appId,createdDateTime,{_TABLES[self.wanted.kind]}"}
        return read_application(self.graph, self.wanted, query)

    def _held(self, application: Json | None) -> list[Json]:
        return list((application or {}).get(_TABLES[self.wanted.kind]) or [])

    def _ours(self, application: Json | None) -> list[Json]:
        return [one for one in self._held(application) if self.wanted.is_ours(one)]

    def _key_ids(self) -> set[str]:
        return self._key_ids_of(self._read())

    def _key_ids_of(self, application: Json | None) -> set[str]:
        return {one["keyId"] for one in self._ours(application)}

    def _outcome(self, application: Json | None, planned: CredentialPlan) -> CredentialOutcome:
        current = None if planned.create else planned.current
        app_id = (application or {}).get("appId")
        return CredentialOutcome(app_id, planned, self._ours(application), current, warnings=list(planned.warnings))


def _without_key(credential: Json) -> Json:
    return {name: value for name, value in credential.items() if name != "key"}
