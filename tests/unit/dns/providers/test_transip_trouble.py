# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What provider transip says and does when something is wrong: keys, tokens, refusals, limits, lost answers, others."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns import zone_lock
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import Conflict, ProviderError, ZoneNotFound
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.account import check_dns, public_options
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider
from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.transip import (
    transip_api,
    transip_provider,
    transip_sign_in,
)
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from ansible_collections.mailroom.erp.plugins.module_utils.libraries import MissingLibrary
from ansible_collections.mailroom.erp.tests.servers.faulty_api import (
    DROP_AFTER,
    DROP_BEFORE,
    ERROR_AFTER,
    ERROR_BEFORE,
    GARBLED,
    LIMIT,
    Query,
)
from ansible_collections.mailroom.erp.tests.servers.transip import (
    ACCESS,
    LOGIN,
    READING,
    Transip,
    private_key_pem,
)
from ansible_collections.mailroom.erp.tests.servers.transip_state import TransipRefusal
from ansible_collections.mailroom.erp.tests.unit.dns.cloudflare_acts import APEX, NEW, SPF, ZONE, change
from ansible_collections.mailroom.erp.tests.unit.dns.transip_acts import (
    entry,
    opened_transip,
    opened_with_token,
    post_entry,
)
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

OTHER = "google-site-verification=abc"
OLD_TEXTS, NEW_TEXTS = [f'"{OTHER}"', f'"{SPF}"'], [f'"{OTHER}"', f'"{NEW}"']


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transip_api, "TRANSIP_PAUSE", 0.0)
    monkeypatch.setattr(transip_provider, "TRANSIP_PAUSE", 0.0)
    monkeypatch.setattr(transip_api, "_BUSY_PAUSES", (0.0,) * 6)


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The spare TTLs of our copies begin at the first one, so that they never meet those of the other run."""
    monkeypatch.setattr(transip_provider, "secrets", SimpleNamespace(randbelow=lambda _most: 0))


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


# --- the account ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, ["dns.login is required", "one of them is required by provider transip"]),
        ({"login": "acme"}, ["one of them is required by provider transip"]),
        ({"login": "acme", "token": "x" * 40, "private_key": "y" * 40}, ["give one of them"]),
        ({"login": "acme", "token": "x" * 40, "base_url": "http://api.transip.nl/v6"}, ["must begin with https://"]),
        ({"login": "acme", "token": "x" * 5}, ["dns.token is shorter than 8 characters"]),
        ({"login": "acme", "private_key": "y" * 40}, []),
        ({"login": "acme", "token": "x" * 40, "api_token": "z" * 40}, ["dns.api_token belongs to provider cloudflare"]),
    ],
)
def test_an_account_is_checked_without_showing_it(options: dict[str, str], told: list[str]) -> None:
    problems = check_dns({"provider": "transip", **options})
    assert len(problems) == len(told)
    for problem, part in zip(problems, told, strict=True):
        assert part in problem
        assert "xxxxx" not in problem and "yyyyy" not in problem


def test_an_account_is_known_by_its_login_and_keeps_its_secrets() -> None:
    account = {"provider": "transip", "login": "acme", "private_key": "y" * 40}
    assert public_options(account) == {"provider": "transip", "login": "acme"}


@pytest.mark.parametrize(
    "key", ["no key at all", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "é" * 9]
)
def test_a_key_that_is_none_is_told_without_showing_it(transip: Transip, key: str) -> None:
    with pytest.raises(ProviderError, match=r"dns\.private_key is no RSA key in PEM") as caught:
        opened_transip(transip, private_key=key)
    assert "MIIB" not in str(caught.value) and key not in str(caught.value)
    assert transip.requests == []


def test_a_key_of_another_kind_is_told(transip: Transip) -> None:
    key = pem_of(ec.generate_private_key(ec.SECP256R1()), serialization.PrivateFormat.PKCS8)
    with pytest.raises(ProviderError, match=r"dns\.private_key is no RSA key"):
        opened_transip(transip, private_key=key)


def test_a_key_of_another_account_is_told(transip: Transip) -> None:
    key = pem_of(rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.TraditionalOpenSSL)
    with pytest.raises(ProviderError, match=r"Invalid API key signature\. Check dns\.login with dns\.private_key"):
        opened_transip(transip, private_key=key).zone_of(ZONE)


@pytest.mark.parametrize("token", ["with blank in it", "line\nbreak-line", "caf\xe9-caf\xe9"])
def test_a_token_that_cannot_be_one_is_refused_before_it_is_sent(transip: Transip, token: str) -> None:
    with pytest.raises(ProviderError, match=r"dns\.token holds blanks") as caught:
        opened_with_token(transip, token)
    assert token not in str(caught.value)


def test_a_wrong_token_is_told_without_showing_it(transip: Transip) -> None:
    token = "another-token-0123456789"
    with pytest.raises(ProviderError, match=r"Your access token is invalid\. Check dns\.login") as caught:
        opened_with_token(transip, token).zone_of(ZONE)
    assert token not in str(caught.value)
    assert len(transip.requests) == 1


def test_a_token_of_the_control_panel_works_without_a_sign_in(transip: Transip) -> None:
    change(opened_with_token(transip, ACCESS), APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS
    assert transip.count("POST", "/auth") == 0


def test_a_token_that_may_only_read_reads_and_says_that_it_cannot_write(transip: Transip) -> None:
    provider = opened_with_token(transip, READING)
    assert SPF in provider.read(ZONE, [APEX]).rrsets[APEX].values
    with pytest.raises(ProviderError, match=rf"zone {ZONE}: .*may only read.*check mode only") as caught:
        change(provider, APEX, NEW, OTHER)
    assert not isinstance(caught.value, Conflict), "it would be tried again"
    assert transip.values(ZONE, "TXT") == OLD_TEXTS


def test_with_a_key_a_token_that_may_write_is_asked_for_when_something_is_written(transip: Transip) -> None:
    provider = opened_transip(transip)
    provider.read(ZONE, [APEX])
    assert [(one["read_only"], one["expiration_time"]) for one in transip.sign_ins] == [(True, "1 hour")]
    change(provider, APEX, NEW, OTHER)
    assert [one["read_only"] for one in transip.sign_ins] == [True, False]
    change(provider, APEX, SPF, OTHER)
    assert len(transip.sign_ins) == 2


def test_an_address_that_is_not_listed_is_no_trouble_for_a_key_that_is_not_bound(transip: Transip) -> None:
    transip.listed = False
    provider = opened_transip(transip)
    change(provider, APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS
    assert [one["global_key"] for one in transip.sign_ins] == [False, True, True]
    transip.bound = True
    with pytest.raises(ProviderError, match=r"Remote IP is not authorized.*list of addresses"):
        opened_transip(transip).zone_of(ZONE)


def test_a_token_is_renewed_before_it_expires(transip: Transip, slept: list[float]) -> None:
    provider = opened_transip(transip)
    provider.read(ZONE, [APEX])
    time.sleep(transip_sign_in._RENEWED_AFTER - 1)
    provider.read(ZONE, [APEX])
    assert len(transip.sign_ins) == 1
    time.sleep(2)
    provider.read(ZONE, [APEX])
    assert len(transip.sign_ins) == 2


def test_a_token_that_is_revoked_in_the_middle_of_a_run_is_replaced(transip: Transip) -> None:
    provider = opened_transip(transip)
    provider.read(ZONE, [APEX])
    transip.tokens.clear()
    change(provider, APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS


def test_a_domain_of_somebody_else_is_named_with_the_way_out(transip: Transip) -> None:
    provider = opened_transip(transip)
    with pytest.raises(ZoneNotFound, match=r"none of the domains of this account holds x\.other\.example\. Add"):
        provider.zone_of("x.other.example")
    with pytest.raises(ZoneNotFound, match=r"no domain other\.example \(Domain with name 'other\.example' not found\)"):
        provider.read("other.example", [("other.example", "TXT")])


def test_an_answer_that_repeats_the_token_is_masked(transip: Transip) -> None:
    api = transip_api.TransipApi(
        {"provider": "transip", "login": LOGIN, "token": ACCESS, "base_url": transip.base_url}, print
    )
    error = api._refusal(ZONE, 400, b'{"error": "what is \x1b ' + ACCESS.encode() + b'?"}')
    assert ACCESS not in str(error) and str(error).isprintable()


def test_a_netrc_file_and_proxies_do_not_replace_the_token(
    transip: Transip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert opened_transip(transip).zone_of(ZONE) == ZONE


def test_a_proxy_of_the_environment_is_used(transip: Transip, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{transip.port}")
    assert opened_transip(transip, base_url="http://localhost:9/v6").zone_of(ZONE) == ZONE


@pytest.mark.parametrize("library", ["requests", "cryptography.hazmat.primitives.serialization"])
def test_a_library_is_named_when_it_is_missing(transip: Transip, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibrary, match=f"-m pip install '{library.partition('.')[0]}>="):
        opened_transip(transip)
    if library != "requests":
        assert opened_with_token(transip, ACCESS), "a token needs no signature"


def test_users_of_other_providers_never_load_it(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from ansible_collections.mailroom.erp.plugins.module_utils.dns.providers.registry import open_provider\n"
        "open_provider({'provider': '{provider}', **{options}})\n"
        "sys.exit(any(name.partition('.')[0] in {unwanted} for name in sys.modules))\n"
    )
    for provider, options, unwanted in (
        ("zonefile", {"path": str(tmp_path)}, ("requests", "cryptography", "cloudflare")),
        ("transip", {"login": LOGIN, "private_key": private_key_pem()}, ("cloudflare", "httpx", "octodns")),
    ):
        code = program.replace("{provider}", provider).replace("{unwanted}", repr(unwanted))
        subprocess.run([sys.executable, "-c", code.replace("{options}", repr(options))], check=True)


# --- waiting and trying again ---------------------------------------------------------------------------------------


def test_a_rate_limit_is_waited_for_as_long_as_it_says_and_told(transip: Transip, slept: list[float]) -> None:
    told: list[str] = []
    provider = open_provider(transip.dns_option, told.append)
    transip.plan(LIMIT, 2, 300)
    assert SPF in provider.read(ZONE, [APEX]).rrsets[APEX].values
    (nap,) = slept
    assert 299 <= nap <= 301
    assert told == [f"TransIP limits the rate of requests: waiting {nap:.0f} seconds, as it asks"]


@pytest.mark.parametrize("number", [1, 2], ids=["sign-in", "question"])
def test_a_rate_limit_that_lasts_too_long_ends_the_wait(transip: Transip, slept: list[float], number: int) -> None:
    transip.plan(LIMIT, number, 500, onwards=True)
    with pytest.raises(ProviderError, match=r"wants us to wait .* seconds; at most 900 .*Run again later"):
        opened_transip(transip).zone_of(ZONE)
    assert sum(slept) <= 900


def test_a_rate_limit_in_the_middle_of_a_change_is_waited_for(transip: Transip, slept: list[float]) -> None:
    provider = opened_transip(transip)
    state = provider.read(ZONE, [APEX])
    transip.plan(LIMIT, 5, 5)
    before = state.rrsets[APEX]
    provider.apply(ZONE, [Change(before, RRset(*APEX, 600, (OTHER, NEW)))], state.token)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS
    assert any(3 <= nap <= 6 for nap in slept)


def test_a_zone_that_is_being_saved_after_each_request_is_waited_for(transip: Transip) -> None:
    transip.saves = 2
    provider = opened_transip(transip)
    change(provider, APEX, NEW, OTHER)
    transip.busy.clear()
    assert transip.values(ZONE, "TXT") == NEW_TEXTS
    assert transip.ttl(ZONE, "TXT") == 600


def test_a_zone_that_stays_busy_ends_in_words(transip: Transip) -> None:
    provider = opened_transip(transip)
    transip.busy[ZONE] = 1000
    with pytest.raises(ProviderError, match=r"HTTP 409: .*currently being saved\. Run again later"):
        provider.read(ZONE, [APEX])
    assert len(transip.requests) < 12


@pytest.mark.parametrize("fault", [ERROR_BEFORE, DROP_BEFORE, DROP_AFTER])
def test_a_question_is_asked_again_but_not_for_ever(transip: Transip, fault: str) -> None:
    provider = opened_transip(transip)
    provider.zone_of(ZONE)
    transip.plan(fault, 1)
    assert SPF in provider.read(ZONE, [APEX]).rrsets[APEX].values
    transip.plan(fault, 1, onwards=True)
    with pytest.raises(ProviderError, match=rf"zone {ZONE}: it could not be asked"):
        provider.read(ZONE, [APEX])
    assert len(transip.requests) == 3


def test_what_is_not_transip_is_told(transip: Transip) -> None:
    with pytest.raises(ProviderError, match="HTTP 404: Endpoint not found"):
        opened_with_token(transip, ACCESS)._api._ask(ZONE, "/elsewhere")  # type: ignore[attr-defined]
    transip.plan(GARBLED, 2)
    with pytest.raises(ProviderError, match="the answer is not TransIP's"):
        opened_transip(transip).zone_of(ZONE)
    transip.stop()
    with pytest.raises(ProviderError, match=r"could not be asked: ConnectionError.*Check dns\.base_url"):
        opened_transip(transip).zone_of(ZONE)


# --- each request of a change fails, once or for good ---------------------------------------------------------------

FAULTS = [LIMIT, ERROR_BEFORE, ERROR_AFTER, DROP_BEFORE, DROP_AFTER, GARBLED]
WRITES = range(3, 9)
"""The requests of a change by which five writes are sent, and a look after the second one: a sign-in and a look come
before."""


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_at_any_request_is_got_over(transip: Transip, slept: list[float], fault: str) -> None:
    """No write is sent twice: an entry that is made or taken away twice would be refused."""
    provider = opened_transip(transip)
    entries = list(transip.zones[ZONE].entries)
    for number in WRITES:
        transip.zones[ZONE].entries = list(entries)
        state = provider.read(ZONE, [APEX])
        provider._api._sign_in._tokens.pop(True, None)  # type: ignore[attr-defined]
        serial = transip.serial(ZONE)
        transip.plan(fault, number, 0.1)
        provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (OTHER, NEW)))], state.token)
        assert transip.values(ZONE, "TXT") == NEW_TEXTS
        assert transip.serial(ZONE) == serial + 5, f"{fault} at request {number}"
        assert [one["content"] for one in transip.records(ZONE, "TXT")].count(NEW) == 1


@pytest.mark.parametrize("fault", [ERROR_AFTER, DROP_BEFORE, GARBLED])
def test_a_service_that_breaks_for_good_leaves_the_old_or_the_new_record(transip: Transip, fault: str) -> None:
    provider = opened_transip(transip)
    entries = list(transip.zones[ZONE].entries)
    for number in WRITES:
        transip.zones[ZONE].entries = list(entries)
        state = provider.read(ZONE, [APEX])
        provider._api._sign_in._tokens.pop(True, None)  # type: ignore[attr-defined]
        transip.plan(fault, number, onwards=True)
        told = (
            "could not be asked|answer is not TransIP's"
            if number == 5
            else f"not known whether zone {ZONE} has changed"
        )
        with pytest.raises(ProviderError, match=told):
            provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (OTHER, NEW)))], state.token)
        transip.plan("", 0)
        assert transip.values(ZONE, "TXT") in (OLD_TEXTS, NEW_TEXTS)
        if transip.values(ZONE, "TXT") == OLD_TEXTS:
            change(provider, APEX, NEW, OTHER)
        assert transip.values(ZONE, "TXT") == NEW_TEXTS


# --- others ---------------------------------------------------------------------------------------------------------


def test_an_entry_that_somebody_changes_just_before_it_goes_is_left_to_them(transip: Transip) -> None:
    """The old entry is taken away by its content, so somebody's change is noticed, and our copy of it goes again."""
    provider = opened_transip(transip)
    state = provider.read(ZONE, [APEX])
    theirs = "v=spf1 mx include:theirs.example ~all"

    def meanwhile(method: str, _path: str, _query: Query) -> None:
        if method == "DELETE":
            transip.before = lambda _method, _path, _query: None
            zone = transip.zones[ZONE]
            zone.entries = [one | ({"content": theirs} if one == entry(SPF) else {}) for one in zone.entries]

    transip.before = meanwhile
    with pytest.raises(Conflict, match="someone else changes it"):
        provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (OTHER, NEW)))], state.token)
    assert transip.values(ZONE, "TXT") == [f'"{OTHER}"', f'"{theirs}"']


def test_a_run_on_another_controller_that_is_late_is_waited_for(transip: Transip, chance: None) -> None:
    """It has a copy of the old record, which would stand beside the new one."""
    provider = opened_transip(transip)
    state = provider.read(ZONE, [APEX])
    seen: list[list[str]] = []

    def meanwhile(method: str, _path: str, _query: Query) -> None:
        seen.append([text for text in transip.values(ZONE, "TXT") if "spf1" in text])
        if method == "DELETE" and transip.count("PATCH") == 0:
            post_entry(transip, SPF, ttl=659)
        elif method == "PATCH":
            assert entry(SPF, ttl=659) not in transip.zones[ZONE].entries
        elif method == "GET" and [one for one, _asked in transip.requests].count("GET") > 4:
            transip.zones[ZONE].entries = [one for one in transip.zones[ZONE].entries if one["expire"] != 659]

    transip.plan("", 0)
    transip.before = meanwhile
    provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (OTHER, NEW)))], state.token)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS
    assert all(len(one) == 1 for one in seen), seen


def test_a_run_on_another_controller_that_never_ends_is_a_conflict(transip: Transip, chance: None) -> None:
    provider = opened_transip(transip)
    state = provider.read(ZONE, [APEX])
    transip.before = lambda method, _path, _query: (
        transip.zones[ZONE].entries.append(entry(SPF, ttl=659)) if method == "DELETE" else None
    )
    with pytest.raises(Conflict, match="another run is changing @ TXT"):
        provider.apply(ZONE, [Change(state.rrsets[APEX], RRset(*APEX, 600, (OTHER, NEW)))], state.token)
    transip.before = lambda _method, _path, _query: None
    assert transip.values(ZONE, "TXT") == OLD_TEXTS
    change(provider, APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS, "what is left of a run that died is cleared away"


def test_a_service_that_takes_no_copy_is_told_with_the_way_out(
    transip: Transip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has seen that TransIP takes the same content with two TTLs."""
    zone = transip.zones[ZONE]
    real = zone.post

    def post(wish: dict[str, Any]) -> None:
        if wish["content"] in [one["content"] for one in zone.entries]:
            raise TransipRefusal(406, "Error setting Dns Entries: duplicate")
        real(wish)

    monkeypatch.setattr(zone, "post", post)
    provider = opened_transip(transip)
    with pytest.raises(ProviderError, match=r"duplicate.*Give the record a TTL of its own in TransIP's control panel"):
        change(provider, APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == OLD_TEXTS
    zone.entries = [entry(SPF, ttl=300), entry(OTHER)]
    change(provider, APEX, NEW, OTHER)
    assert transip.values(ZONE, "TXT") == NEW_TEXTS


def test_a_record_that_somebody_makes_in_the_same_moment_is_a_conflict(transip: Transip) -> None:
    provider, key = opened_transip(transip), (f"_dmarc.{ZONE}", "TXT")
    state = provider.read(ZONE, [key])
    transip.before = lambda method, path, _query: (
        post_entry(transip, "v=DMARC1; p=none", name="_dmarc") if method == "POST" and path != "/auth" else None
    )
    provider.apply(ZONE, [Change(None, RRset(*key, 600, ("v=DMARC1; p=none",)))], state.token)
    assert len(transip.records(*key)) == 1, "the same as ours: done"


def test_an_alias_that_cannot_be_made_anew_is_put_back(transip: Transip) -> None:
    key = (f"s1._domainkey.{ZONE}", "CNAME")
    post_entry(transip, "old.example.", name="s1._domainkey", rdtype="CNAME")
    provider = opened_transip(transip)
    state = provider.read(ZONE, [key])
    wish = [Change(state.rrsets[key], RRset(*key, 900, ("xn--" + "x" * 60 + " .example",)))]
    with pytest.raises(ProviderError, match="no valid host"):
        provider.apply(ZONE, wish, state.token)
    assert transip.values(*key) == ["old.example."]


@pytest.mark.parametrize(
    ("ttl", "method", "told"),
    [
        (900, "PATCH", "changed in part. The snapshot holds what was there"),
        (600, "DELETE", "to take back what was begun, DELETE @ "),
    ],
)
def test_a_change_of_which_a_part_is_refused_says_so(transip: Transip, ttl: int, method: str, told: str) -> None:
    transip.zones[ZONE].entries = [entry(SPF), entry(OTHER, ttl=ttl)]
    provider, new = opened_transip(transip), (f"new.{ZONE}", "TXT")
    state = provider.read(ZONE, [APEX, new])
    wish = [
        Change(None, RRset(*new, 600, ("x",))),
        Change(state.rrsets[APEX], RRset(*APEX, 600, (OTHER, NEW))),
    ]

    def meanwhile(asked: str, _path: str, _query: Query) -> None:
        for access in transip.tokens.values():
            access.read_only = asked == method

    transip.before = meanwhile
    with pytest.raises(ProviderError, match="may only read") as caught:
        provider.apply(ZONE, wish, state.token)
    assert told in str(caught.value) and not isinstance(caught.value, Conflict)
    assert transip.values(*new) == ['"x"']
    assert transip.values(ZONE, "TXT") == OLD_TEXTS


def test_a_lock_that_another_run_keeps_is_told(transip: Transip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transip_provider, "_LOCK_SECONDS", 0.1)
    provider = opened_transip(transip)
    with (
        zone_lock.held("transip", ZONE, ZONE, 1.0),
        pytest.raises(ProviderError, match="another run has held its lock"),
    ):
        change(provider, APEX, NEW, OTHER)


def test_a_list_of_domains_that_fails_is_not_asked_for_once_per_domain(transip: Transip) -> None:
    provider = opened_transip(transip)
    transip.plan(ERROR_BEFORE, 1, onwards=True)
    for number in range(3):
        with pytest.raises(ProviderError, match="could not be asked"):
            provider.zone_of(f"customer{number}.example")
    assert len(transip.requests) == 3, "three attempts, for all"


def test_an_answer_that_does_not_come_is_given_up(transip: Transip) -> None:
    provider = opened_transip(transip, timeout=0.2)
    provider.zone_of(ZONE)
    transip.plan("slow answer", 1, 0.6, onwards=True)
    began = time.monotonic()
    with pytest.raises(ProviderError, match=r"could not be asked: .*[Tt]ime"):
        provider.read(ZONE, [APEX])
    assert time.monotonic() - began < 5
