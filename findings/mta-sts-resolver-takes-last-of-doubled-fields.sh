#!/bin/sh
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# postfix-mta-sts-resolver 1.5.1 (PyPI), the MTA-STS client for Postfix, takes the last of a field that stands twice in a
# policy. RFC 8461 section 3.2: all entries but the first are ignored. A sender with another client follows the first.
# Seen: mode enforce, max_age 86400, where the RFC has testing and 604800.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check postfix-mta-sts-resolver==1.5.1
"$folder/venv/bin/python" - <<'PYTHON'
from postfix_mta_sts_resolver.utils import parse_mta_sts_policy

policy = "\r\n".join(
    [
        "version: STSv1",
        "mode: testing",
        "mx: mail.example.com",
        "max_age: 604800",
        "mode: enforce",
        "max_age: 86400",
        "",
    ]
)
found = parse_mta_sts_policy(policy)
print("mode", found["mode"], "max_age", found["max_age"])
assert (found["mode"], found["max_age"]) == ("enforce", "86400"), "the behaviour has changed"
PYTHON
