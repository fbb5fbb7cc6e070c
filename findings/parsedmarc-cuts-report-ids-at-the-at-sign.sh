#!/bin/sh
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# parsedmarc 11.1.0 (PyPI) keeps of a report's id what stands before an @, and of the reporter's name the organisational domain.
# Reporters build ids as messages' ids are built, with the host behind the @; so two reports of one reporter and day, from two
# of its hosts, have one id afterwards. Whoever tells duplicates by its output (reporter and id) counts one of them only.
# Seen: both reports come out as receiver.example with the id 20231115.1, although their ids differ.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check parsedmarc==11.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import parsedmarc

REPORT = """<?xml version="1.0"?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>mail.receiver.example</org_name><email>noreply@receiver.example</email><report_id>{report_id}</report_id>
    <date_range><begin>1700006400</begin><end>1700092799</end></date_range>
  </report_metadata>
  <policy_published><domain>example.com</domain><p>none</p></policy_published>
  <record>
    <row>
      <source_ip>192.0.2.1</source_ip><count>{count}</count>
      <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated>
    </row>
    <identifiers><header_from>example.com</header_from></identifiers>
    <auth_results><spf><domain>example.com</domain><result>pass</result></spf></auth_results>
  </record>
</feedback>
"""
seen = []
for count, report_id in enumerate(("20231115.1@mx1.receiver.example", "20231115.1@mx2.receiver.example"), start=1):
    report = parsedmarc.parse_aggregate_report_xml(REPORT.format(report_id=report_id, count=count), offline=True)
    head = report["report_metadata"]
    seen.append((head["org_name"], head["report_id"]))
    print(report_id, "->", *seen[-1], "with", report["records"][0]["count"], "messages")
assert seen == [("receiver.example", "20231115.1")] * 2, "the behaviour has changed"
PYTHON
