# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Who has signed a plan: OpenSSH signatures beside its file, judged by ``ssh-keygen`` and the signers that are allowed.

Source: ssh-keygen(1), "-Y verify" and "ALLOWED SIGNERS"; PROTOCOL.sshsig of OpenSSH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.problem import Problem, Refused, escape_controls
from ansible_collections.mailroom.erp.plugins.plugin_utils.change_plan.plan_file import PLAN_RULES

NAMESPACE = "mailroom.erp.plan"
_PROGRAM = "ssh-keygen"
_PACKAGES = "openssh-client (Debian, Ubuntu), openssh (Fedora, RHEL, SUSE), openssh-keygen (Alpine)"
_MOST = 50
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PlanSignature:
    """One signature file: the principals that the allowed signers give its key, or why it does not count."""

    file: str
    principals: tuple[str, ...] = ()
    wrong: str | None = None


def check_signatures(file: Path, data: bytes, demanded: int, allowed: Path | None) -> list[str]:
    """See that enough people have signed a plan.

    :param file: the plan; signatures are beside it, each as ``<name of the plan>.<anything>.sig``
    :param data: its bytes
    :param demanded: how many different people
    :param allowed: the file of allowed signers, as ssh-keygen(1) describes it
    :returns: who signed, each person once; empty when nobody has to
    :raises Refused: too few did, or it cannot be found out
    """
    if demanded <= 0:
        return []
    if allowed is None or not allowed.is_file():
        rule = "signatures are demanded, and there is no file of those who may sign"
        raise Refused(_problem("mail_plan_allowed_signers", str(allowed) if allowed else None, rule, "Name the file."))
    if shutil.which(_PROGRAM) is None:
        rule = f"the program {_PROGRAM} is not installed here, and no signature can be judged without it"
        raise Refused(_problem("mail_plan_signatures", str(demanded), rule, f"Install the package: {_PACKAGES}."))
    files = sorted(file.parent.glob(f"{_quoted(file.name)}*.sig"))[:_MOST]
    found = [_judged(one, data, allowed) for one in files]
    people = _people(found)
    if len(people) < demanded:
        raise Refused(_too_few(file, demanded, people, found))
    return people


def _judged(signature: Path, data: bytes, allowed: Path) -> PlanSignature:
    """Find whose key made a signature, then have it verified for each of these names."""
    named = _run(["-Y", "find-principals", "-s", str(signature), "-f", str(allowed)], b"")
    names = sorted({name for line in named.stdout.decode("utf-8", "replace").splitlines() for name in line.split(",")})
    names = [name for name in names if name]
    if named.returncode or not names:
        return PlanSignature(signature.name, wrong="its key is none of the allowed signers', or it is no signature")
    for name in names:
        options = ["-f", str(allowed), "-I", name, "-n", NAMESPACE, "-s", str(signature)]
        verified = _run(["-Y", "verify", *options], data)
        if verified.returncode:
            return PlanSignature(signature.name, wrong=f"as {name}: {_said(verified)}")
    return PlanSignature(signature.name, tuple(names))


def _run(arguments: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [_PROGRAM, *arguments],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        rule = f"{_PROGRAM} did not end as it should: {type(error).__name__}"
        raise Refused(_problem("mail_plan_signatures", None, rule, "Try the command by hand (docs/plan.md).")) from None


def _said(ended: subprocess.CompletedProcess[bytes]) -> str:
    text = (ended.stdout + ended.stderr).decode("utf-8", "replace").strip()
    return escape_controls("; ".join(text.splitlines()) or f"{_PROGRAM} refuses it")


def _people(signatures: Iterable[PlanSignature]) -> list[str]:
    """Who signed. Signatures with a name in common are one person's: a key that stands for two names is one key."""
    groups: list[set[str]] = []
    for signature in signatures:
        names = set(signature.principals)
        if names:
            same = [group for group in groups if group & names]
            groups = [group for group in groups if not group & names] + [names.union(*same)]
    return sorted(", ".join(sorted(group)) for group in groups)


def _too_few(file: Path, demanded: int, people: Sequence[str], found: Iterable[PlanSignature]) -> Problem:
    wrong = [f"{one.file}: {one.wrong}" for one in found if one.wrong]
    signed = f"signed by {'; '.join(people)}" if people else "signed by nobody who may"
    told = f". Not counted: {'; '.join(wrong)}" if wrong else ""
    rule = f"{demanded} different people must sign it, and it is {signed}{told}"
    way_out = (
        f"Sign it: {_PROGRAM} -Y sign -n {NAMESPACE} -f <key> {file.name}, and name the file {file.name}.<who>.sig."
    )
    return _problem("mail_plan_signatures", str(demanded), rule, way_out)


def _problem(where: str, value: str | None, rule: str, way_out: str) -> Problem:
    return PLAN_RULES.problem("apply", where, value, rule, way_out)


def _quoted(name: str) -> str:
    """A name as a pattern that matches nothing but itself."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
