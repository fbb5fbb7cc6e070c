# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys: what receivers use, what they do not, and what must never be shown."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.policy import dkim
from ansible_collections.mailroom.erp.tests.tools.dkim_keys import encoded_key
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
INFO, PKCS1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
CLEAR = serialization.NoEncryption()

KEYS = {bits: rsa.generate_private_key(65537, bits) for bits in (1024, 2048, 4096)}
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def info(bits: int) -> str:
    return encoded_key(KEYS[bits].public_key())


@pytest.mark.parametrize("bits", KEYS)
@pytest.mark.parametrize("form", [INFO, PKCS1])
def test_an_rsa_key_is_measured_as_another_library_does(bits: int, form: serialization.PublicFormat) -> None:
    data = base64.b64encode(KEYS[bits].public_key().public_bytes(DER, form)).decode()
    verdict = dkim.judge_key(f"v=DKIM1; k=rsa; p={data}")
    assert (verdict.bits, verdict.faults) == (KEYS[bits].key_size, [])
    assert any("2048 are advised" in concern for concern in verdict.concerns) is (bits == 1024)


@pytest.mark.parametrize("bits", KEYS)
def test_a_key_of_ones_own_is_taken_in_every_form(bits: int) -> None:
    public = KEYS[bits].public_key()
    record = f"v=DKIM1; k=rsa; p={info(bits)}"
    assert dkim.key_record(public.public_bytes(PEM, INFO).decode()) == record
    assert dkim.key_record(info(bits)) == record
    assert dkim.key_record(f" v=DKIM1; p={info(bits)} ") == f"v=DKIM1; p={info(bits)}"


def test_an_ed25519_key_is_taken_in_every_form() -> None:
    raw = EDWARDS.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    record = f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
    assert dkim.key_record(EDWARDS.public_key().public_bytes(PEM, INFO).decode()) == record
    assert dkim.key_record(base64.b64encode(raw).decode()) == record
    assert dkim.judge_key(record).faults == []


RSA1024 = info(1024)
SMALL = base64.b64encode(bytes.fromhex("308188028180") + b"\x00" * 64 + b"\x7f" * 64 + bytes.fromhex("0203010001"))
FAULTS = {
    "hello": "no key record",
    "v=DKIM1; p=": "revoked",
    "v=DKIM1; k=rsa": "there is no p=",
    f"p={RSA1024}; v=DKIM1": "v= must be the first tag",
    f"v=DKIM2; p={RSA1024}": "v= must be the first tag",
    f"v=DKIM1; k=dsa; p={RSA1024}": "no algorithm",
    f"v=DKIM1; h=sha1; p={RSA1024}": "sha256",
    f"v=DKIM1; s=other; p={RSA1024}": "not for mail",
    "v=DKIM1; p=not base64!": "no base64",
    "v=DKIM1; p=AAAA\u00e9": "no base64",
    "v=DKIM1; p=AAAA\udcff": "no base64",
    "v=DKIM1; p=aGVsbG8=": "no RSA public key",
    f"v=DKIM1; p={SMALL.decode()}": "below 1024",
    "v=DKIM1; k=ed25519; p=aGVsbG8=": "32 bytes",
    f"v=DKIM1; p={RSA1024}; p=": "at most once",
    f"v=DKIM1; p={RSA1024[:-40]}": "no RSA public key",
}


@pytest.mark.parametrize(("text", "words"), FAULTS.items(), ids=range(len(FAULTS)))
def test_what_receivers_do_not_use_is_told(text: str, words: str) -> None:
    faults = dkim.judge_key(text).faults
    assert words in faults[0]
    assert "RFC" in faults[0]


@pytest.mark.parametrize(
    "tags", ["h=sha256", "h=sha1:sha256", "s=email", "s=*", "s=email:other", "n=a note", "x=unknown"]
)
def test_what_receivers_use_has_no_fault(tags: str) -> None:
    assert dkim.judge_key(f"v=DKIM1; {tags}; p={info(2048)}").faults == []


def test_a_key_in_testing_is_called_out() -> None:
    assert any("t=y" in concern for concern in dkim.judge_key(f"v=DKIM1; t=y:s; p={info(2048)}").concerns)
    (concern,) = dkim.judge_key(f"v=DKIM1; t=s; p={info(2048)}").concerns
    assert "an i= below d= it fails" in concern and "RFC 6376 section 3.6.1" in concern


def pkcs1(bits: int) -> str:
    return base64.b64encode(KEYS[bits].public_key().public_bytes(DER, PKCS1)).decode()


@pytest.mark.parametrize("bits", KEYS)
def test_a_key_in_the_form_of_pkcs1_is_published_as_receivers_read_it(bits: int) -> None:
    record = f"v=DKIM1; k=rsa; p={info(bits)}"
    pem = KEYS[bits].public_key().public_bytes(PEM, PKCS1).decode()
    assert "BEGIN RSA PUBLIC KEY" in pem
    assert dkim.key_record(pem) == record
    assert dkim.key_record(pkcs1(bits)) == record
    assert dkim.key_record(f"v=DKIM1; k=rsa; p={pkcs1(bits)}") == record
    assert serialization.load_der_public_key(base64.b64decode(record.rpartition("p=")[2])) == KEYS[bits].public_key()


BROKEN_LINES = [
    "v=DKIM1; k=rsa; p={0} {1}",
    "v=DKIM1; k=rsa; p={0}\n{1}",
    "v=DKIM1; k=rsa;\n  p={0}\r\n\t{1}\n",
    "v=DKIM1;\n\nk=rsa;\n p = {0}\n {1}",
]


@pytest.mark.parametrize("text", BROKEN_LINES)
def test_blanks_and_ends_of_lines_in_a_record_are_not_published(text: str) -> None:
    record = dkim.key_record(text.format(info(2048)[:100], info(2048)[100:]))
    assert record.replace("p = ", "p=") == f"v=DKIM1; k=rsa; p={info(2048)}"
    assert dkim.judge_key(record).faults == []
    assert dkim.normal_form(record) == record


def test_a_record_of_any_length_is_brought_into_form_at_once() -> None:
    blanks = " " * 60000
    assert dkim.key_record(f"v=DKIM1; n=a{blanks}b; p={info(2048)}").endswith(info(2048))
    assert dkim.key_record(f"v=DKIM1; n=a{blanks}\n{blanks}b; p={info(2048)}") == f"v=DKIM1; n=a b; p={info(2048)}"


def test_a_note_in_a_record_stays_on_one_line() -> None:
    record = dkim.key_record(f"v=DKIM1; n=our\n key ; p={info(2048)};\n")
    assert record == f"v=DKIM1; n=our key ; p={info(2048)};"


LARGE = base64.b64encode(bytes.fromhex("3082028a0282028100") + b"\xff" * 640 + bytes.fromhex("0203010001")).decode()
CONCERNS = {
    f"v=DKIM1; p={LARGE}": "above 4096",
    f"v=DKIM1; p={pkcs1(2048)}": "PKCS#1",
    f"v=DKIM1; t=y; p={info(2048)}": "t=y",
}


@pytest.mark.parametrize(("text", "words"), CONCERNS.items(), ids=["large", "PKCS#1", "testing"])
def test_what_some_receivers_do_not_use_is_a_caution(text: str, words: str) -> None:
    verdict = dkim.judge_key(text)
    assert verdict.faults == []
    assert any(words in caution and "RFC" in caution for caution in verdict.cautions)
    assert set(verdict.cautions) <= set(verdict.concerns)


def test_names_of_tags_of_a_key_have_a_case() -> None:
    assert "there is no p=" in dkim.judge_key(f"v=DKIM1; P={info(2048)}").faults[0]
    assert dkim.judge_key(f"v=DKIM1; p={info(2048)}; P=other").faults == []


PRIVATE = [
    KEYS[2048].private_bytes(PEM, serialization.PrivateFormat.PKCS8, CLEAR).decode(),
    KEYS[2048].private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, CLEAR).decode(),
    base64.b64encode(KEYS[2048].private_bytes(DER, serialization.PrivateFormat.PKCS8, CLEAR)).decode(),
    base64.b64encode(KEYS[1024].private_bytes(DER, serialization.PrivateFormat.TraditionalOpenSSL, CLEAR)).decode(),
    EDWARDS.private_bytes(PEM, serialization.PrivateFormat.PKCS8, CLEAR).decode(),
    base64.b64encode(EDWARDS.private_bytes(DER, serialization.PrivateFormat.PKCS8, CLEAR)).decode(),
]


PRIVATE += [f"v=DKIM1; k=rsa; p={key}" for key in (PRIVATE[2], PRIVATE[3])]


@pytest.mark.parametrize("key", PRIVATE, ids=range(len(PRIVATE)))
def test_a_private_key_is_refused_without_being_shown(key: str) -> None:
    assert dkim.is_private_key(key.rpartition("p=")[2] if "DKIM1" in key else key)
    with pytest.raises(dkim.KeyProblem, match="private key") as caught:
        dkim.key_record(key)
    assert not any(line in str(caught.value) for line in key.splitlines() if not line.startswith("-"))


@pytest.mark.parametrize(
    "key", ["\u00e9", "", "hello", "ssh-rsa AAAAB3NzaC1yc2E= me@here", "v=DKIM1; p=", "p=aGVsbG8="]
)
def test_what_is_no_public_key_is_refused(key: str) -> None:
    assert not dkim.is_private_key(key)
    with pytest.raises(dkim.KeyProblem, match="RFC"):
        dkim.key_record(key)


def test_a_key_of_another_kind_is_refused() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(PEM, INFO).decode()
    with pytest.raises(dkim.KeyProblem, match="no RSA public key"):
        dkim.key_record(curve)


@pytest.mark.parametrize("selector", ["s1", "mail2026", "a.b-c.d1", "SELECTOR1"])
def test_a_selector_may_have_dots(selector: str) -> None:
    assert dkim.check_selector(selector) == selector.lower()


@pytest.mark.parametrize("selector", ["", "a_b", "a..b", ".a", "-a", "a-", "a b", "s1._domainkey", "a" * 64, "\u00e9"])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(dkim.KeyProblem, match=r"RFC 6376 section 3\.1"):
        dkim.check_selector(selector)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ((), "there is no key at this selector (RFC 6376 section 6.1.2)"),
        (("v=DKIM1; p=", "v=spf1 -all"), "2 TXT records"),
        ((f"v=DKIM1; p={info(2048)}", "google-site-verification=abc"), "2 TXT records"),
        ((f"v=DKIM1; p={info(2048)}", f"v=DKIM1; p={info(1024)}"), "(RFC 6376 section 3.6.2.2)"),
        (("hello",), "no key record"),
    ],
)
def test_a_selector_has_one_txt_record_and_nothing_else(values: tuple[str, ...], fault: str) -> None:
    (found,) = dkim.judge_published(values).faults
    assert fault in found


def test_the_one_record_of_a_selector_is_judged_as_a_key() -> None:
    text = f"v=DKIM1; p={info(1024)}"
    assert dkim.judge_published((text,)) == dkim.judge_key(text)


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    dkim.judge_key(text)
    dkim.is_private_key(text)


@given(st.binary(max_size=80))
def test_any_bytes_as_a_key_are_judged(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    dkim.judge_key(f"v=DKIM1; p={text}")
    dkim.is_private_key(text)
