# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""One test from its checked parameters to its result: at most one message, and what the service made of it."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from ansible_collections.mailroom.erp.plugins.module_utils.ansible_module import Module, Result
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_module import Task
from ansible_collections.mailroom.erp.plugins.module_utils.entra.entra_options import (
    TENANT_SECRETS,
    Tenant,
    read_tenant,
)
from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph_answer import GraphError
from ansible_collections.mailroom.erp.plugins.module_utils.entra.http import Http
from ansible_collections.mailroom.erp.plugins.module_utils.entra.token import SignInFailed, Token, sign_in
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.known_refusal import SENDER, KnownRefusal
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.mail_test_options import (
    MAIL_TEST_RULES,
    SIGNED_IN,
    FetchSettings,
    SmtpSettings,
    read_mail_test,
    wrong_mail_test_arguments,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.observation import Look, Observed, observe
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.probe_message import (
    ProbeMessage,
    make_message,
    new_test_id,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.refusal_table import known_refusal
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.sent_state import (
    REFUSED_AS_EXPECTED,
    SENT,
    UNDER_WAY,
    SentEntry,
    SentState,
    now_text,
    reserve,
    sent_state,
    settings_digest,
)
from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.service_answer import (
    ACCEPTED,
    NOT_SENT,
    REFUSED,
    UNDECIDED,
    SecretMask,
    ServiceAnswer,
    Submitted,
)
from ansible_collections.mailroom.erp.plugins.module_utils.masked_secrets import never_show
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import default_folder

HOLDS, BROKEN = "holds", "broken"
_RIGHTS = ("Mail.Send", "SMTP.SendAsApp")


def run_mail_test(module: Module) -> NoReturn:
    """Do the test and end the module.

    :param module: the AnsibleModule
    """
    wrong = wrong_mail_test_arguments(module.params)
    if wrong:
        module.fail_json(msg="\n".join(wrong))
    try:
        run = MailTestRun(module)
        result, problem = run.result()
    except (Refused, GraphError, MissingLibrary) as error:
        module.fail_json(msg=str(error))
    for warning in run.warnings:
        module.warn(warning)
    if problem is not None:
        module.fail_json(msg=str(problem), **result)
    module.exit_json(**result)


class MailTestRun:
    """The test of one task.

    :param module: the AnsibleModule, with checked parameters
    """

    def __init__(self, module: Module) -> None:
        self.warnings: list[str] = []
        self._module, self._params = module, module.params
        self.test = read_mail_test(module.params, _local_name())
        self._mask = SecretMask(_lines_of_secrets(module.params.get("tenant") or {}))
        self._once_per = self.test.once_per or settings_digest(self.test, module.params.get("tenant"))
        folder = module.params.get("state_dir") or default_folder(os.environ)
        self._folder = Path(folder).expanduser() / "mail_test"
        self._token: Token | None = None
        self._control: bool | None = None

    def result(self) -> tuple[Result, Problem | None]:
        """Do it.

        :returns: the return values, and what is wrong with them; None when all is as expected
        :raises Refused: the state cannot be kept, or the tenant is another one
        :raises MissingLibrary: a library is not installed
        """
        if self.test.signs_in_only:
            return self._signed_in()
        write = not self._module.check_mode
        key = f"{'refused' if self.test.expects_refusal else 'accepted'} {self._once_per}"
        with sent_state(self._folder, self.test, key, write) as state:
            earlier = self._settled(state, write)
            if earlier is not None and not self._may_try(earlier):
                return self._not_again(earlier)
            if not write:
                return self._told(_nothing(), None, changed=True), None
            return self._tried(state)

    def _signed_in(self) -> tuple[Result, Problem | None]:
        """Only sign in, also in check mode: nothing is changed by it."""
        submitted = self._asked(self._sign_in)
        cause = None if submitted.outcome == SIGNED_IN else self._cause(submitted)
        return self._told(submitted, cause), None if submitted.outcome == SIGNED_IN else self._problem(submitted, cause)

    def _sign_in(self) -> Submitted:
        smtp = self.test.smtp
        if smtp is None:
            tenant = read_tenant(self._params["tenant"])
            self._token_of(tenant, tenant.graph_url)
            return Submitted(SIGNED_IN, False, ServiceAnswer("token", None, None, ""), signed_in=True)
        from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.smtp_submission import smtp_dialogue

        with smtp_dialogue(smtp, self._smtp_token(), self._mask) as dialogue:
            return dialogue.try_sign_in(smtp.user)

    def _may_try(self, earlier: SentEntry) -> bool:
        return earlier.state == UNDER_WAY and self.test.accept_second_message

    def _settled(self, state: SentState, write: bool) -> SentEntry | None:
        """What an earlier run has left; a message that may have been sent is looked for."""
        earlier, fetch = state.entry, self.test.fetch
        if earlier is None or earlier.state != UNDER_WAY or fetch is None or not write:
            return earlier
        if self._observed(fetch, earlier.test_id).arrived:
            earlier = SentEntry(SENT, earlier.test_id, earlier.message_id, earlier.at)
            state.note(earlier)
        return earlier

    def _not_again(self, earlier: SentEntry) -> tuple[Result, Problem | None]:
        """Nothing is sent, because of an earlier run with the same ``once_per``."""
        told = {"earlier": {"state": earlier.state, "at": earlier.at}, "message_id": earlier.message_id}
        if earlier.state == UNDER_WAY:
            submitted = Submitted(UNDECIDED, None, _nothing().answer, "may_have_been_sent")
            result = {**self._told(submitted, None), **told}
            return result, self._problem(submitted, self._cause(submitted))
        result = {**self._told(_nothing(), None), **told}
        if self.test.expects_refusal:
            result["proof"] = HOLDS if earlier.state == REFUSED_AS_EXPECTED else BROKEN
        if result["proof"] != BROKEN:
            return result, None
        submitted = Submitted(NOT_SENT, False, _nothing().answer, "scope_not_in_force")
        cause = self._cause(submitted)
        return {**result, "cause": self._cause_told(cause)}, self._problem(
            submitted, cause, "Then give another once_per."
        )

    def _tried(self, state: SentState) -> tuple[Result, Problem | None]:
        message = make_message(self.test.sender, self.test.recipient, new_test_id(), datetime.now(UTC))
        stopped = self._stopped_by_limits(message)
        submitted = stopped or self._submitted(state, message)
        fetch = self.test.fetch
        observed = None
        if fetch is not None and submitted.sent is not False:
            observed = self._observed(fetch, message.test_id)
            if observed.arrived and submitted.outcome == UNDECIDED:
                submitted = Submitted(ACCEPTED, True, submitted.answer, signed_in=submitted.signed_in)
                state.note(_entry(SENT, message))
        return self._judged(submitted, observed, message)

    def _judged(
        self, submitted: Submitted, observed: Observed | None, message: ProbeMessage
    ) -> tuple[Result, Problem | None]:
        cause = self._cause(submitted)
        proof = self._proof(submitted, cause)
        if proof == BROKEN:
            whole = self._token is not None and self._token.holds(*_RIGHTS)
            name = "tenant_wide_right" if whole else "scope_not_in_force"
            cause = known_refusal(self._way, self._auth, submitted.answer, name)
        result = self._told(submitted, cause, changed=submitted.sent is not False)
        result |= {"proof": proof, "message_id": message.message_id}
        if observed is not None:
            result["observed"] = observed.as_dict(self.test.verdict)
            self._warn_of(result["observed"])
        good = proof == HOLDS if self.test.expects_refusal else submitted.outcome == ACCEPTED
        return result, None if good else self._problem(submitted, cause)

    # --- handing it in ---

    @property
    def _way(self) -> str:
        return "smtp" if self.test.smtp else "graph"

    @property
    def _auth(self) -> str:
        return self.test.smtp.auth if self.test.smtp else ""

    def _submitted(self, state: SentState, message: ProbeMessage) -> Submitted:
        smtp = self.test.smtp
        if smtp is None:
            return self._asked(lambda: self._over_graph(state, message))
        return self._asked(lambda: self._over_smtp(state, message, smtp))

    def _asked(self, ask: Callable[[], Submitted]) -> Submitted:
        try:
            return ask()
        except SignInFailed as error:
            answer = ServiceAnswer("token", None, None, self._mask.clean(str(error)))
            return Submitted(NOT_SENT, False, answer, "token_not_given")

    def _over_smtp(self, state: SentState, message: ProbeMessage, smtp: SmtpSettings) -> Submitted:
        from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.smtp_submission import smtp_dialogue

        token = self._smtp_token()
        with smtp_dialogue(smtp, token, self._mask) as dialogue:
            before = self._before(state, message)
            submitted = dialogue.submit(self.test.recipient, message.content, before)
            self._remember(state, submitted, message)
        return submitted

    def _over_graph(self, state: SentState, message: ProbeMessage) -> Submitted:
        from ansible_collections.mailroom.erp.plugins.module_utils.entra.graph import Pace
        from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.graph_submission import MailGraph

        task = Task(self._module)
        with task.connected() as (_graph, token):
            self._token = token
            pace, http = Pace(task.tenant.timeout, task.tenant.poll_interval), Http(task.tenant.ca_file)
            try:
                graph = MailGraph(http, task.tenant.graph_url, token.value, pace, self._mask)
                submitted = graph.submit(self.test.mailbox, message.content, self._before(state, message))
            finally:
                http.close()
            self._remember(state, submitted, message)
        return submitted

    def _smtp_token(self) -> str | None:
        smtp = self.test.smtp
        if smtp is None or smtp.auth != "xoauth2" or smtp.access_token:
            return smtp.access_token if smtp else None
        return self._token_of(read_tenant(self._params["tenant"]), smtp.resource)

    def _token_of(self, tenant: Tenant, resource: str) -> str:
        http = Http(tenant.ca_file)
        try:
            self._token = sign_in(tenant, http, resource)
        finally:
            http.close()
        never_show(self._module, [self._token.value])
        return self._token.value

    def _before(self, state: SentState, message: ProbeMessage) -> Any:
        return lambda: state.note(_entry(UNDER_WAY, message))

    def _remember(self, state: SentState, submitted: Submitted, message: ProbeMessage) -> None:
        """Before anything else happens; a lost answer stays under way."""
        if submitted.sent:
            state.note(_entry(SENT, message))
        elif submitted.sent is False:
            if self._proof(submitted, self._cause(submitted)) == HOLDS:
                state.note(_entry(REFUSED_AS_EXPECTED, message))
            else:
                state.forget(message.test_id)

    def _stopped_by_limits(self, message: ProbeMessage) -> Submitted | None:
        limits = self.test.limits
        if limits.message_size is not None and len(message.content) > limits.message_size:
            words = f"limits.message_size is {limits.message_size} bytes, this message has {len(message.content)}"
            return Submitted(NOT_SENT, False, ServiceAnswer("limits", None, None, words), "over_size")
        account = f"{self.test.smtp.host} {self.test.smtp.user}" if self.test.smtp else self.test.mailbox
        why = reserve(self._folder, f"{self._way} {account}".lower(), limits)
        return Submitted(NOT_SENT, False, ServiceAnswer("limits", None, None, why), "over_limit") if why else None

    # --- what it means ---

    def _cause(self, submitted: Submitted) -> KnownRefusal | None:
        if submitted.outcome in (ACCEPTED, SIGNED_IN):
            return None
        return known_refusal(self._way, self._auth, submitted.answer, submitted.stopped)

    def _proof(self, submitted: Submitted, cause: KnownRefusal | None) -> str | None:
        """Only a refusal of this sender shows that the scope is in force; one of the sign-in may have other causes."""
        if not self.test.expects_refusal:
            return None
        if submitted.outcome == ACCEPTED:
            return BROKEN
        if submitted.outcome != REFUSED or cause is None:
            return UNDECIDED
        if cause.about == SENDER and submitted.signed_in:
            return HOLDS
        return HOLDS if submitted.answer.stage == "sign_in" and self._control_signs_in() else UNDECIDED

    def _control_signs_in(self) -> bool:
        """Whether the same token is taken for a mailbox inside the scope, so that the token itself is good."""
        from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.smtp_submission import smtp_dialogue

        smtp = self.test.smtp
        if smtp is None or smtp.auth != "xoauth2" or smtp.control_user is None:
            return False
        if self._control is None:
            token = smtp.access_token or (self._token.value if self._token else None)
            with smtp_dialogue(smtp, token, self._mask) as dialogue:
                self._control = dialogue.try_sign_in(smtp.control_user).signed_in
        return self._control

    def _observed(self, fetch: FetchSettings, test_id: str) -> Observed:
        return observe(fetch, test_id, self._look(fetch))

    def _look(self, fetch: FetchSettings) -> Look:
        if isinstance(fetch.where, Path):
            from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.maildir_look import MaildirLook

            return MaildirLook(fetch.where)
        from ansible_collections.mailroom.erp.plugins.module_utils.mail_test.imap_look import ImapLook

        return ImapLook(fetch.where, self._mask)

    # --- telling it ---

    def _told(self, submitted: Submitted, cause: KnownRefusal | None, changed: bool = False) -> Result:
        cause = cause or self._cause(submitted)
        return {
            "changed": changed,
            "outcome": submitted.outcome,
            "sent": submitted.sent,
            "proof": None,
            "answer": submitted.answer.as_dict() if submitted.answer.stage else None,
            "cause": self._cause_told(cause),
            "message_id": None,
            "earlier": None,
            "observed": None,
            "once_per": self._once_per,
        }

    def _cause_told(self, cause: KnownRefusal | None) -> dict[str, Any] | None:
        return cause.told(self._names()) if cause else None

    def _names(self) -> dict[str, str]:
        smtp = self.test.smtp
        return {
            "sender": self.test.sender,
            "recipient": self.test.recipient,
            "user": (smtp.user or "this client") if smtp else self.test.mailbox,
            "mailbox": self.test.sender if smtp else self.test.mailbox,
            "server": f"{smtp.host}:{smtp.port}" if smtp else "Microsoft Graph",
        }

    def _problem(self, submitted: Submitted, cause: KnownRefusal | None, more: str = "") -> Problem:
        names = self._names()
        told = cause.told(names) if cause else None
        where = f"{names['server']}, {submitted.answer.stage}" if submitted.answer.stage else names["server"]
        rule = self._rule(submitted, told)
        way_out = f"{told['step'] if told else 'Read the words of the service, and its own documentation.'} {more}"
        if told is None:
            return MAIL_TEST_RULES.problem(self._subject, where, None, rule, way_out.strip())
        source = f"{told['source']['title']}, {told['source']['url']}, {told['source']['date']}"
        return Problem(self._subject, where, None, rule, source, way_out.strip())

    @property
    def _subject(self) -> str:
        """Whom a problem is about: the sender, or the application that only signs in."""
        return self.test.sender or str((self._params.get("tenant") or {}).get("client_id"))

    def _rule(self, submitted: Submitted, cause: Mapping[str, Any] | None) -> str:
        words = str(submitted.answer) if submitted.answer.stage else ""
        said = {
            ACCEPTED: "the message was accepted, which must be refused",
            REFUSED: "the message was refused",
            UNDECIDED: "nobody can tell whether the message is accepted",
            NOT_SENT: "the message was not sent",
        }[submitted.outcome]
        if self.test.signs_in_only:
            said = (
                "nobody can tell whether the sign-in is taken"
                if submitted.outcome == UNDECIDED
                else "the sign-in failed"
            )
        if self.test.expects_refusal and submitted.outcome == REFUSED:
            said = "the message was refused for a reason that does not show that the scope is in force"
        return f"{said}{f': {words}' if words else ''}{f'. {cause_text(cause)}' if cause else ''}"

    def _warn_of(self, observed: Mapping[str, Any]) -> None:
        if observed["arrived"] is not True:
            self.warnings.append(f"{self.test.sender}: the message was not seen: {observed['reason']}")
        for one in observed["differences"]:
            said = f"the verdict says {one['verdict']}, the receiver {one['observed']}"
            self.warnings.append(f"{self.test.sender}: {one['method']}: {said}")


def cause_text(cause: Mapping[str, Any]) -> str:
    """The explanation of a cause, as the end of a rule.

    :param cause: as it is returned
    """
    return str(cause["explanation"]).rstrip(".")


def _lines_of_secrets(tenant: Mapping[str, Any]) -> list[str]:
    """The secrets of a tenant without the first and last lines of PEM, whose words are everybody's."""
    lines = [line for name in TENANT_SECRETS for line in str(tenant.get(name) or "").splitlines()]
    return [line for line in lines if not line.startswith("-----")]


def _nothing() -> Submitted:
    """Nothing was sent, and nobody was asked."""
    return Submitted(NOT_SENT, False, ServiceAnswer("", None, None, ""))


def _entry(state: str, message: ProbeMessage) -> SentEntry:
    return SentEntry(state, message.test_id, message.message_id, now_text())


def _local_name() -> str:
    """What this machine calls itself; without a whole name an address stands for it (RFC 5321 section 4.1.4)."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name) else "[127.0.0.1]"
