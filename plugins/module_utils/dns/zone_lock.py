# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""For services that know no condition for a write: a lock for each zone, and a wait for other controllers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.file_lock import StillLocked, hold
from ansible_collections.mailroom.erp.plugins.module_utils.state_folder import default_folder, make_folder

OTHERS_SECONDS = 1.0
"""How long to wait, at least, after a write; see :func:`let_others_arrive`."""

_OTHERS_AT_MOST = 30.0


def write_alone(service: str, identity: str, zone: str, seconds: float, write: Callable[[], None]) -> None:
    """Write to a service that takes any write, without a condition: alone on this machine, and let others arrive then.

    :param service: see :func:`held`, as for the other parameters
    :param write: looks again, compares with what was read, and writes
    :raises ProviderError: the lock cannot be had, or what ``write`` raises
    """
    with held(service, identity, zone, seconds):
        began = time.monotonic()
        write()
        taken = time.monotonic() - began
    let_others_arrive(taken)


def let_others_arrive(taken: float) -> None:
    """Wait after a write, before it is looked at.

    The write of another controller that did not see ours, because it had read before, has arrived by then and shows in
    what is read. Others take about as long as we do, so twice the time that our own look and write took is waited.

    :param taken: seconds that our look and write took
    """
    time.sleep(min(max(OTHERS_SECONDS, 2 * taken), _OTHERS_AT_MOST))


@contextlib.contextmanager
def held(service: str, identity: str, zone: str, seconds: float) -> Iterator[None]:
    """Keep other runs of this user on this machine away from a zone for as long as the context lasts.

    :param service: the provider
    :param identity: what tells the zone from all others of that service; only its hash is seen
    :param zone: the apex, for messages
    :param seconds: how long to wait for another run
    :raises ProviderError: the lock cannot be made, or another run holds it all the time
    """
    folder = Path(default_folder(os.environ))
    file = folder / f"{service}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}.lock"
    with contextlib.ExitStack() as stack:
        try:
            make_folder(folder)
            stack.enter_context(hold(file, seconds))
        except OSError as error:
            raise ProviderError(
                f"zone {zone}: its lock {file} cannot be made: {error.strerror}. "
                "Let this user write there, or name another folder in XDG_STATE_HOME"
            ) from error
        except StillLocked:
            raise ProviderError(
                f"zone {zone}: another run has held its lock {file} for {seconds:.0f} seconds. "
                "Wait for it to end and run again"
            ) from None
        yield
