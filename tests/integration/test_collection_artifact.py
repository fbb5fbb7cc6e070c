# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as a user gets it: built, installed into an empty path, run on an inventory without interpreters."""

from __future__ import annotations

import hashlib
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.tests.integration.artifact import REPOSITORY, Installed, changed, run_clean
from ansible_collections.mailroom.erp.tests.integration.playbook import own_program
from ansible_collections.mailroom.erp.tests.servers.entra.demo import tenant_in
from ansible_collections.mailroom.erp.tests.tools.quoted_pages import quoted

COMPANY = REPOSITORY / "playbooks" / "demo" / "company"
BY_HAND = """\
erp_mail_settings:
  directory_id: 0a1b2c3d-0000-4000-8000-000000000001
  application_id: 0a1b2c3d-0000-4000-8000-000000000002
erp_mail_password: "{{ vault_noord_relay_password }}"
"""
ENVIRONMENTS = 6


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A fresh copy of the demo's company, without its tenant: inventory, zone files, the sample of the internet."""
    copy = Path(shutil.copytree(COMPANY, tmp_path / "company"))
    (copy / "group_vars" / "acme" / "tenant.yml").unlink()
    with (copy / "host_vars" / "acme_payroll.yml").open("a", encoding="utf-8") as file:
        file.write(BY_HAND)
    return copy


def hashes(folder: Path) -> dict[str, str]:
    """Every file below a folder, with the hash of its bytes; but not what a run keeps of its failure."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "failed_run.json")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def diffs(output: str) -> list[str]:
    """The lines of all diffs that a run printed; the report, indented too, is no part of them."""
    report = (
        r"^(PROBLEMS|CHANGED|WOULD CHANGE|OPEN IN|SENDERS|PASSWORDS|LOOK AT|UNCHANGED).*?^\d+ environments?, [^\n]*$"
    )
    output = re.sub(report, "", output, flags=re.M | re.S)
    return [line for line in output.splitlines() if re.match(r"(--- |\+\+\+ |@@ |[-+ ])", line)]


def test_the_tarball_holds_the_collection_and_nothing_else(installed: Installed) -> None:
    with tarfile.open(installed.tarball) as archive:
        names = archive.getnames()
    top = {name.partition("/")[0] for name in names}
    assert top <= {
        *(
            "FILES.json",
            "CODE_OF_CONDUCT.md",
            "LICENSE",
            "LICENSES",
            "MANIFEST.json",
            "README.md",
            "REUSE.toml",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
            "bindep.txt",
            "changelogs",
            "docs",
            "examples",
        ),
        *("meta", "playbooks", "plugins", "roles"),
        *("requirements.txt", *(f"requirements-{name}.txt" for name in ("cloudflare", "entra", "octodns", "transip"))),
    }
    assert not [name for name in names if "/." in f"/{name}" or name.endswith(".pyc")]
    assert {"plugins/modules/mail_domains.py", "playbooks/site.yml", "LICENSE"} <= set(names)


def test_what_was_installed_is_what_was_built(installed: Installed, tmp_path: Path) -> None:
    collections = Path(shutil.copytree(installed.collections, tmp_path / "collections", symlinks=True))
    verify = [
        own_program("ansible-galaxy"),
        "collection",
        "verify",
        "mailroom.erp",
        "--offline",
        "-p",
        str(collections),
    ]
    assert "mailroom.erp" in run_clean([*verify, "-v"], tmp_path)
    with (collections / "ansible_collections/mailroom/erp/playbooks/site.yml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.raises(AssertionError, match=r"playbooks/site\.yml"):
        run_clean(verify, tmp_path)


def test_no_inventory_of_the_demo_names_an_interpreter() -> None:
    texts = [path.read_text(encoding="utf-8") for path in COMPANY.rglob("*.yml")]
    assert len(texts) > ENVIRONMENTS
    assert not [text for text in texts if "python_interpreter" in text]


def test_the_password_of_the_demo_is_no_part_of_a_word_that_a_run_shows() -> None:
    """Since ansible-core 2.22 the text of a secret is masked wherever it stands, in names of hosts too."""
    password = (COMPANY / "vault-password").read_text(encoding="utf-8").strip()
    names = [str(path.relative_to(COMPANY)) for path in COMPANY.rglob("*")]
    texts = [path.read_text(encoding="utf-8") for path in COMPANY.rglob("*.yml")]
    assert password and not [text for text in (*names, *texts) if password in text]


def test_check_mode_shows_what_the_run_does_and_a_second_run_changes_nothing(
    installed: Installed, company: Path
) -> None:
    before = hashes(company)
    checked = installed.site(company, "--check", "--diff")
    assert hashes(company) == before

    ran = installed.site(company, "--diff")
    after = hashes(company)
    assert diffs(checked) == diffs(ran)
    assert any(line.startswith("+") and "include:spf.afas.online" in line for line in diffs(ran))
    assert changed(checked) == changed(ran)

    again = installed.site(company, "--diff")
    assert hashes(company) == after
    assert diffs(again) == []
    assert set(changed(again).values()) == {0}
    assert len(changed(again)) == 1, "nobody has anything to tell but the host that the tasks ran on"


def quotations(output: str | None) -> list[str]:
    """What the pages on the demo quote, as it stands there or as a run printed it."""
    pages = [(REPOSITORY / "docs" / name).read_text(encoding="utf-8") for name in ("demo.md", "explained.md")]
    found = [block for page in pages for block in re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    return found if output is None else [quoted(block, output) for block in found]


def test_the_demo_proves_its_mailboxes_and_changes_nothing_the_second_time(
    installed: Installed, tmp_path: Path
) -> None:
    company = Path(shutil.copytree(COMPANY, tmp_path / "company"))
    for run, said in enumerate(("accepted", "shown by an earlier run")):
        with tenant_in(company / "tenant") as server:
            output = installed.site(company, playbook="mailroom.erp.demo.demo")
            assert len(server.truth.find("applications", uniqueName="mailroom-acme_payroll")) == 1
            assert len(server.truth["oauth2PermissionGrants"]) == 1
            assert len(server.directory.sent) == 1 - run, "one message in both runs, and none from the third mailbox"
            limited = {one["directoryScopeId"] for one in server.truth["roleAssignments"].values()}
            users = server.truth["users"].values()
            names = {one["userPrincipalName"] for one in users if f"/Users/{one['id']}" in limited}
            assert names == {"payroll@acme.example", "hr@acme.example"}
            assert run or quotations(output) == quotations(None), (
                "docs/demo.md and docs/explained.md quote the first run"
            )
        assert f"payroll@acme.example, in the scope: {said}" in output
        assert re.search(r"director@acme\.example, outside: [a-z ]+; the proof holds", " ".join(output.split()))
        assert set(changed(output).values()) == {0} or run == 0
    assert (company / "mailroom" / "secrets" / "acme.yml").read_bytes().startswith(b"$ANSIBLE_VAULT")


def test_what_was_there_is_still_there(installed: Installed, company: Path) -> None:
    zone = company / "zones" / "acme" / "acme.example.zone"
    before = zone.read_text(encoding="utf-8").splitlines()
    installed.site(company)
    gone = [line for line in before if line not in zone.read_text(encoding="utf-8").splitlines()]
    assert [line for line in gone if "v=spf1" not in line and "serial" not in line] == []
    assert len(gone) == 2


def test_one_wrong_environment_stops_the_run_before_anything_is_written(installed: Installed, company: Path) -> None:
    wrong = company / "host_vars" / "noord_profit.yml"
    wrong.write_text(wrong.read_text(encoding="utf-8").replace("port: 465", "port: 26"), encoding="utf-8")
    before = hashes(company)
    with pytest.raises(AssertionError, match=r"noord_profit: .*port"):
        installed.site(company)
    assert hashes(company) == before
