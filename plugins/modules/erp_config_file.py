#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module ``erp_config_file``: a few keys of one section of an ini file, and nothing else of it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_config_file
short_description: Keys in one section of an ERP's settings file, all else kept byte for byte
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Sets keys in one section of a file that Python's C(configparser) reads, such as C(trytond.conf), or takes them away.
    Comments, order, line ends, spacing, other keys and other sections stay as they are, and so do owner, mode and
    access list (ACL).
  - It runs where the file is, by the connection of the host, and needs only Python there.
  - Above each line that it writes it puts a comment, C(# The next line is written by mailroom.erp). By this mark it
    knows what it may take away. A key without a mark is changed when another value is wanted, and never taken away.
  - A file that C(configparser) refuses (a line before any section, a section or a key twice, any other line), or that
    is not UTF-8, is refused and not touched; messages name the line and quote nothing.
  - The new file takes the place of the old one in one step. A symbolic link is kept, its target changes. Runs at the
    same time wait for each other, by a lock file beside the file (C(.NAME.lock)); what somebody else writes meanwhile
    is kept.
  - The role P(mailroom.erp.erp_mail_file#role) uses it for the ERP systems that are configured by a file.
requirements:
  - Python 3.10 or later where the file is
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would change.
  diff_mode:
    support: full
    description: Shows the keys of O(entries) only, secrets masked, because other lines may hold secrets of others.
options:
  path:
    description: The file. It must exist; an empty one will do.
    type: path
    required: true
  section:
    description: The section, without its brackets. It is made at the end of the file when it is missing.
    type: str
    required: true
  entries:
    description: All keys that this task is about.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The key in lower case, as C(configparser) reads it.
        type: str
        required: true
      kind:
        description:
          - V(uri) is shown without its password, V(secret) is not shown, of what stands in the file neither.
        type: str
        choices: [plain, uri, secret]
        default: plain
  values:
    description:
      - The values by key. A key of O(entries) that has none here and in O(secret_values) goes when it bears the mark;
        without the mark it stays, with a warning.
    type: dict
    default: {}
  secret_values:
    description: The same for values that hold a secret.
    type: dict
    default: {}
  state:
    description: With V(absent) all keys of O(entries) go that bear the mark, and a section that was made for them.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: mailroom.erp.erp_mail_config
"""

EXAMPLES = r"""
- name: Let Tryton send by the relay
  mailroom.erp.erp_config_file:
    path: /etc/tryton/trytond.conf
    section: email
    entries:
      - {name: uri, kind: uri}
      - {name: from}
    values:
      from: erp@acme.example
    secret_values:
      uri: "smtp+tls://erp:{{ vault_relay_password | urlencode }}@relay.acme.example:587"
  become: true
"""

RETURN = r"""
path:
  description: The file, as given.
  type: str
  returned: success
changed_keys:
  description: The keys whose value changed, or would.
  type: list
  elements: str
  returned: success
"""

import json
import sys

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    if sys.version_info < (3, 10):  # noqa: UP036 - it runs by any Python that the host has
        text = "erp_config_file needs Python 3.10 or later on this host. Set ansible_python_interpreter to one."
        sys.stdout.write(json.dumps({"failed": True, "msg": text}))
        raise SystemExit(1)
    # what these import is no Python that older ones can run
    from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_options import (
        ERP_CONFIG_FILE_OPTIONS,
    )
    from ansible_collections.mailroom.erp.plugins.module_utils.config_file.config_file_run import run_config_file

    run_config_file(AnsibleModule(argument_spec=ERP_CONFIG_FILE_OPTIONS, supports_check_mode=True))


if __name__ == "__main__":
    main()
