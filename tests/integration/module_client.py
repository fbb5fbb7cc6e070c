# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for ``module_launcher`` in the copies of the playbook nursery: lets the module nursery run the module.

Its files, variables and folder are those of the module, and so is its exit code; where there is no nursery, it is the
launcher. It is started for each module, so it imports nothing that Python has not loaded by itself.
"""

from __future__ import annotations

import os
import sys

_LAUNCHER = "../../plugins/plugin_utils/running/module_launcher.py"


def main() -> None:
    """Have the module run that the last argument names, and end as it ends."""
    import _socket
    import marshal

    nursery = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        nursery.connect(os.environ["MAILROOM_MODULE_NURSERY"])
    except (KeyError, OSError):
        launcher = os.path.join(os.path.dirname(__file__), _LAUNCHER)
        os.execv(sys.executable, [sys.executable, "-P", os.path.normpath(launcher), sys.argv[-1]])
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    order = marshal.dumps((sys.argv[-1], os.getcwd(), dict(os.environ)))
    nursery.sendmsg([len(order).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    while order:
        order = order[nursery.send(order) :]
    status = nursery.recv(1)
    # A nursery that is gone has been killed, with the module.
    os._exit(status[0] if status else 137)


if __name__ == "__main__":
    main()
