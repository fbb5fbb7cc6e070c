#!/bin/sh
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# tlsrpt-reporter 0.6.0 (PyPI), which sends TLS reports for Postfix, looks for rua= in the second field of a TLSRPT record
# only, and does not take away spaces beside the commas of its list. RFC 8460 section 3 allows other fields before rua=, and
# spaces beside the commas. Who puts an extension first gets no reports from it.
# Seen: MalformedTlsrptRecordException for the first record; a URI that begins with a space for the second.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tlsrpt-reporter==0.6.0
"$folder/venv/bin/python" - <<'PYTHON'
from tlsrpt_reporter.utility import MalformedTlsrptRecordException, parse_tlsrpt_record

try:
    parse_tlsrpt_record("v=TLSRPTv1; x-note=1; rua=mailto:tls@example.com")
except MalformedTlsrptRecordException as error:
    print("an extension before rua:", error)
else:
    raise SystemExit("the behaviour has changed: a field before rua is read over")
found = parse_tlsrpt_record("v=TLSRPTv1; rua=mailto:tls@example.com , https://example.com/tls")
print("spaces beside the comma:", found)
assert found == ["mailto:tls@example.com ", " https://example.com/tls"], "the behaviour has changed"
PYTHON
