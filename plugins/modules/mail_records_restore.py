#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoes a run: the records in its snapshot come back as they were."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mail_records_restore
short_description: Bring mail records back to what a snapshot holds
version_added: 0.1.0
author: the mailroom.erp authors (@mailroom)
description:
  - Undoes what a run of M(mailroom.erp.mail_domains), M(mailroom.erp.spf_record), M(mailroom.erp.dkim_record),
    M(mailroom.erp.dmarc_record), or of this module itself, did to the DNS, by the snapshot that it made.
  - Values that the run added go, values that it took away come back, and so does a TTL that it changed. What others
    have published since stays.
  - Everything is read and judged before anything is written. The records of one zone are written together or not at
    all. A DNS service that fails during the restore fails its own zones; the others are done, and the task ends failed
    with a list.
  - A record that the service has locked, as Email Routing of Cloudflare does, is known in check mode, and holds up only
    itself.
  - It makes a snapshot itself, so that it can be undone too.
extends_documentation_fragment:
  - mailroom.erp.dns
  - mailroom.erp.dns.resolver
  - mailroom.erp.dns.accounts
notes:
  - O(resolver) and O(accept_undelegated) are taken so that C(module_defaults) of the group reach all its modules. A
    restore looks nothing up, and asks only the DNS accounts.
options:
  snapshot:
    description: The snapshot's file.
    type: path
    required: true
  accounts:
    description:
      - The DNS accounts, in any order. A zone takes the one whose options are those that the snapshot names; secrets,
        which no snapshot holds, and C(timeout) do not matter. More accounts than are needed do no harm.
      - Without it O(dns) is used for all zones; with it O(dns) is not used.
  zones:
    description: Restore these zones of the snapshot only.
    type: list
    elements: str
  domains:
    description: Restore records at or below these domains only. A snapshot without any of them is refused.
    type: list
    elements: str
  not_domains:
    description: Domains below those of O(domains) whose records are left alone, too.
    type: list
    elements: str
    default: []
  changed_since:
    description:
      - What to do with a record that is neither as the run left it nor as it was before, so that somebody has changed
        it since.
      - With V(refuse) nothing at all is written, and the message names each such record.
      - With V(restore) it comes back as it was before the run; what somebody made of it since goes.
    type: str
    choices: [refuse, restore]
    default: refuse
  concurrency:
    description: How many zones are worked on at the same time.
    type: int
    default: 16
seealso:
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: Undo the run of this morning
  mailroom.erp.mail_records_restore:
    snapshot: ~/.local/state/mailroom/20261121T093000.123456Z-4711-0a1b2c3d.yml
    dns: "{{ acme_dns }}"

- name: Undo it for one zone, whatever has been made of the record since
  mailroom.erp.mail_records_restore:
    snapshot: mailroom/snapshots/20261121T093000.123456Z-4711-0a1b2c3d.yml
    accounts: ["{{ acme_dns }}", "{{ jansen_dns }}"]
    zones: [jansen.example]
    changed_since: restore
"""

RETURN = r"""
zones:
  description: What became of each zone, in the order of the snapshot.
  type: list
  elements: dict
  returned: when nothing was refused
  contains:
    zone:
      description: The zone.
      type: str
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
    records:
      description: The records that changed, each with C(name), C(type), and C(before) and C(after) with C(ttl) and
        C(values); null where there is none.
      type: list
      elements: dict
failures:
  description: The zones that could not be read or written, or have a record that the service has locked, with the
    reason.
  type: list
  elements: dict
  returned: when nothing was refused
  sample: [{zone: acme.example, msg: "zone acme.example: ns1.acme.example did not answer within 10 s"}]
summary:
  description: How many zones there are, and how many of them changed, stayed and failed.
  type: dict
  returned: when nothing was refused
  sample: {zones: 20, changed: 19, unchanged: 0, failed: 1}
snapshot:
  description: The snapshot of this restore; null when nothing was written.
  type: str
  returned: when nothing was refused
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module import open_snapshot, snapshot_path
from ansible_collections.mailroom.erp.plugins.module_utils.domains.dns_module_options import DNS_MODULE_OPTIONS
from ansible_collections.mailroom.erp.plugins.module_utils.domains.grouped_messages import Message, failure_list
from ansible_collections.mailroom.erp.plugins.module_utils.domains.restore import ZoneWork, read_restore, restore
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.plugins.module_utils.problem import Refused
from ansible_collections.mailroom.erp.plugins.module_utils.snapshots.snapshot_format import escaped, rrset_data


def _zone_result(work: ZoneWork) -> dict[str, Any]:
    records = [
        {
            "name": change.key[0],
            "type": change.key[1],
            "before": rrset_data(change.before),
            "after": rrset_data(change.after),
        }
        for change in work.result
    ]
    return {"zone": work.zone, "changed": bool(records), "records": records}


def _diff(change: Change) -> dict[str, str]:
    header = f"{change.key[0]} {change.key[1]}"
    sides = {
        side: "".join(f"TTL {rrset.ttl}: {escaped(value)}\n" for value in rrset.values) if rrset else ""
        for side, rrset in (("before", change.before), ("after", change.after))
    }
    return {"before_header": header, "after_header": header, **sides}


def _shape(works: list[ZoneWork]) -> dict[str, Any]:
    failed = [work for work in works if work.trouble]
    changed = sum(bool(work.result) for work in works)
    unchanged = sum(not work.result and not work.trouble for work in works)
    return {
        "zones": [_zone_result(work) for work in works],
        "failures": [{"zone": work.zone, "msg": work.trouble} for work in failed],
        "summary": {"zones": len(works), "changed": changed, "unchanged": unchanged, "failed": len(failed)},
        "changed": changed > 0,
        "diff": [_diff(change) for work in works for change in work.result],
    }


def _failed(result: dict[str, Any], check_mode: bool) -> str:
    failures = [Message(one["zone"], f"{one['zone']}: {one['msg']}") for one in result["failures"]]
    return failure_list("zones", failures, len(result["zones"]), check_mode)


def _run(module: AnsibleModule) -> None:
    params = module.params
    try:
        works = read_restore(params, module.warn)
        snapshot = open_snapshot(module, params)
        restore(works, snapshot, not module.check_mode, params["concurrency"])
    except (Refused, ProviderError, MissingLibrary) as error:
        module.fail_json(msg=str(error))
    result = {**_shape(works), "snapshot": snapshot_path(snapshot)}
    if result["failures"]:
        module.fail_json(msg=_failed(result, module.check_mode), **result)
    module.exit_json(**result)


def main() -> None:
    _run(AnsibleModule(argument_spec=DNS_MODULE_OPTIONS["mail_records_restore"], supports_check_mode=True))


if __name__ == "__main__":
    main()
