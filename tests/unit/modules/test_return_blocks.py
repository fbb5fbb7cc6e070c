# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several modules return is documented in the same words.

Ansible reads the RETURN block of a module without running code. So it must be a literal string, and what modules share
cannot be written once.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

MODULES = Path(__file__).parents[3] / "plugins" / "modules"

SHARED: tuple[tuple[str, ...], ...] = (
    (
        "dkim_record/snapshot",
        "dmarc_record/snapshot",
        "mail_domains/snapshot",
        "spf_record/snapshot",
        "dmarc_advance/snapshot",
        "park_domains/snapshot",
    ),
    ("dmarc_advance/planned", "mail_domains/planned", "park_domains/planned"),
    ("dmarc_advance/sender_warnings", "mail_domains/sender_warnings", "park_domains/sender_warnings"),
    ("mail_domains/domains", "park_domains/domains"),
    ("erp_change_plan/digest", "erp_plan_proof/digest"),
    ("erp_config_file/path", "erp_mail_config/path"),
    ("erp_config_file/changed_keys", "erp_mail_config/changed_keys"),
    ("dkim_record/zone", "dmarc_record/zone", "spf_record/zone"),
    ("dkim_record/name", "dmarc_record/name"),
    ("dkim_record/managed_elsewhere", "dmarc_record/managed_elsewhere"),
    ("dkim_record/record/before", "dmarc_record/record/before", "spf_record/record/before"),
    ("dkim_record/record/after", "dmarc_record/record/after", "spf_record/record/after"),
    ("mail_auth_info/domains/domain", "mail_domains/domains/domain"),
    ("entra_sender_info/senders/result", "mail_auth_info/verdicts/result"),
    ("entra_sender_info/senders/next_step", "mail_auth_info/verdicts/next_step"),
    (
        "entra_app_credential/app_id",
        "entra_app_registration/app_id",
        "entra_environments/environments/app_id",
        "entra_mail_scope/app_id",
    ),
    (
        "entra_app_registration/service_principal_id",
        "entra_automation/service_principal_id",
        "entra_consent/service_principal_id",
        "entra_mail_scope/service_principal_id",
    ),
    (
        "entra_app_credential/directory_id",
        "entra_app_registration/directory_id",
        "entra_environments/environments/directory_id",
        "entra_mail_scope/directory_id",
    ),
    ("entra_app_credential/end_date_time", "entra_environments/environments/end_date_time"),
    ("entra_app_credential/lost", "entra_environments/environments/lost"),
    ("entra_app_credential/retiring", "entra_environments/environments/retiring"),
    (
        "entra_app_credential/requests",
        "entra_app_registration/requests",
        "entra_automation/requests",
        "entra_consent/requests",
        "entra_environments/requests",
        "entra_mail_scope/requests",
        "entra_sender_info/requests",
    ),
)
"""Groups of places that mean the same: a module, the return value, and the names inside it."""

APART = {
    "dkim_record/record": "an alias or a key; what is in it is shared",
    "dmarc_record/record": "a policy; what is in it is shared",
    "spf_record/record": "an SPF record; what is in it is shared",
    "mail_records_restore/snapshot": "of the restore itself",
    "mail_adopt_info/domains": "what was read of each",
    "mail_adopt_info/text": "all that was read",
    "mail_domains/text": "what is told of each domain and sender",
    "mail_adoption/environments": "the names of those that are new",
    "entra_adopt_info/tenants": "what was read of each",
    "erp_environments_info/tenants": "what is asked of each",
    "mail_auth_info/domains": "what was found about each",
    "mail_domains/failures": "domains that failed",
    "park_domains/failures": "domains that failed, those in use among them",
    "park_domains/summary": "counts domains",
    "park_domains/verdicts": "two verdicts a sender, before and after",
    "park_domains/written": "whether the run wrote; it is never held",
    "dmarc_advance/domains": "what was decided about each",
    "dmarc_advance/failures": "domains that failed, refused ones always among them",
    "dmarc_advance/verdicts": "two verdicts a sender, before and after",
    "dmarc_advance/written": "whether the run wrote; it is never held",
    "mail_domains/written": "whether the run wrote, or was held",
    "mail_records_restore/failures": "zones that failed",
    "entra_sender_info/summary": "counts senders",
    "mail_auth_info/summary": "counts findings and senders",
    "mail_domains/summary": "counts domains",
    "mail_records_restore/summary": "counts zones",
    "mail_auth_info/verdicts": "one verdict a sender",
    "mail_domains/verdicts": "two verdicts a sender, before and after",
    "entra_automation/app_id": "the application that signs in, not one that sends",
    "entra_consent/app_id": "the vendor's application, which is never only planned",
    "entra_app_registration/grants": "application permissions",
    "entra_consent/grants": "delegated permissions",
    "entra_environments/environments": "what a tenant has for each",
    "erp_environments/environments": "what came of each in a run",
    "erp_secrets_report/environments": "what came of each in a rotation",
    "erp_mail_tests/environments": "what came of each when its senders are tested",
    "erp_environments_info/needs": "those of all hosts",
    "erp_mail_info/needs": "those of one host",
    "erp_offboarding/needs": "those of all hosts, as they hold while some leave",
    "erp_environments_info/problems": "of the tenants, by their parts",
    "erp_mail_info/problems": "of one declaration, as sentences",
    "erp_environments_plan/domains": "what is to be made of each",
    "dmarc_report_info/domains": "what was reported on each",
    "dmarc_report_info/files": "what was read",
    "erp_mail_files/files": "what was written",
    "erp_handback/files": "what is handed back",
    "mail_adoption/files": "those of the inventory that were written",
    "erp_report_pages/files": "the pages that were written",
    "erp_environments_plan/senders": "who sends",
    "erp_change_plan/plan_file": "of the plan that was made, if any",
    "erp_plan_proof/plan_file": "of the plan that was proved",
    "entra_sender_info/senders": "what a tenant says of each",
    "erp_environments_info/cautions": "of hosts",
    "erp_environments_plan/cautions": "of domains",
}
"""Return values whose names stand in several modules and mean something of their own in each, with what that is."""

DNS_MODULES = {"dmarc_advance", "park_domains", "dkim_record", "dmarc_record", "mail_domains", "spf_record"}
"""They end in the same function, so that they also return things in the same cases."""


def return_block(file: Path) -> dict[str, Any]:
    """Read the RETURN block of a module as Ansible does.

    :raises ValueError: it is no literal
    :raises StopIteration: there is none
    """
    assigned = [node for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign)]
    block = next(node.value for node in assigned if [ast.unparse(target) for target in node.targets] == ["RETURN"])
    parsed: dict[str, Any] = yaml.safe_load(ast.literal_eval(block))
    return parsed


RETURNS = {file.stem: return_block(file) for file in sorted(MODULES.glob("*.py"))}


def documentation(place: str, left_out: set[str]) -> dict[str, Any]:
    """What is said of one return value, without the parts that may differ."""
    module, name, *inside = place.split("/")
    entry = RETURNS[module][name]
    for part in inside:
        entry = entry["contains"][part]
    return {key: value for key, value in entry.items() if key not in left_out}


@pytest.mark.parametrize("places", SHARED, ids=lambda places: places[0])
def test_what_modules_share_is_documented_in_the_same_words(places: tuple[str, ...]) -> None:
    same_cases = {place.split("/")[0] for place in places} <= DNS_MODULES
    left_out = {"sample"} if same_cases else {"sample", "returned"}
    first, *others = (documentation(place, left_out) for place in places)
    for place, other in zip(places[1:], others, strict=True):
        assert other == first, f"{place} differs from {places[0]}"


def test_every_name_that_stands_in_several_modules_is_in_one_of_the_tables() -> None:
    often = Counter(name for values in RETURNS.values() for name in values)
    named = {f"{module}/{name}" for module, values in RETURNS.items() for name in values if often[name] > 1}
    shared = {place for places in SHARED for place in places}
    assert not shared & set(APART)
    assert named - shared - set(APART) == set()
    assert set(APART) <= named
