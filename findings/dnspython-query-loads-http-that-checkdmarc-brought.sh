#!/bin/sh
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# dnspython 2.9.2 (PyPI) loads a whole HTTP client (httpx2, httpcore2, h2) with `import dns.query` or `import dns.resolver`
# as soon as those packages are installed, also for questions over UDP only. checkdmarc 6.0.4 requires dnspython[doh] and so
# brings them, so every other program of that environment that asks the DNS loads them, too.
# Seen: 204 modules before, 336 after (Python 3.11). Programs that start often may load dns.query where they first ask.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dnspython==2.9.2
count='import sys, dns.query; print(len(sys.modules), "httpx2" in sys.modules)'
plain=$("$folder/venv/bin/python" -c "$count")
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check checkdmarc==6.0.4 dnspython==2.9.2
beside=$("$folder/venv/bin/python" -c "$count")
echo "modules loaded by import dns.query, and whether httpx2 is one: alone $plain, beside checkdmarc $beside"
[ "${plain#* }" = False ] && [ "${beside#* }" = True ] || { echo 'the behaviour has changed' >&2; exit 1; }
[ "${beside% *}" -ge "$((${plain% *} * 3 / 2))" ] || { echo 'the behaviour has changed: it loads few modules' >&2; exit 1; }
