# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""DKIM keys as they stand in the DNS (RFC 6376 section 3.6.1, RFC 8301, RFC 8463): built, and judged."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from ansible_collections.mailroom.erp.plugins.module_utils.policy import tags
from ansible_collections.mailroom.erp.plugins.module_utils.policy.tags import Tag, TagError, TagList

MIN_RSA_BITS = 1024
GOOD_RSA_BITS = 2048
MAX_RSA_BITS = 4096
"""Receivers need not be able to use larger keys (RFC 8301 section 3.2)."""

ED25519_ALONE = (
    "there is no RSA key beside it, and receivers that do not know ed25519 find no signature (RFC 8463 section 6)"
)
"""Why mail that is signed by ed25519 only is not certain to be authenticated."""

_SELECTOR_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PEM = re.compile(r"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----(?P<body>.*?)-----END (?P=kind)-----", re.DOTALL)
_RSA = bytes.fromhex("06092a864886f70d010101")
_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
_ED25519_INFO = bytes.fromhex("302a300506032b6570032100")


REVOKED = "v=DKIM1; p="
"""The record of a key that is taken back: no signature by it is valid (RFC 6376 section 3.6.1)."""


class KeyProblem(ValueError):
    """A key or selector breaks a rule; the message is the rule with its source and never holds the key."""


@dataclass(slots=True)
class KeyVerdict:
    """What receivers make of a published key.

    ``bits`` is the size of an RSA modulus, ``faults`` why receivers will not use the key, ``concerns`` what is
    allowed but should be looked at, ``cautions`` those of them by which some receivers take mail for unsigned; one
    sentence each, with its source. ``kind`` is what the first fault is about: missing, several, no_key (what stands
    there is no key record), algorithm, h, s, revoked, data or small; None without a fault.
    """

    algorithm: str = "rsa"
    bits: int | None = None
    faults: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    kind: str | None = None

    def refuse(self, kind: str, sentence: str) -> None:
        """Note why receivers will not use the key."""
        self.faults.append(sentence)
        self.kind = self.kind or kind

    def be_cautious(self, sentence: str) -> None:
        """Note something by which some receivers take mail for unsigned."""
        self.concerns.append(sentence)
        self.cautions.append(sentence)


def check_selector(selector: str) -> str:
    """Normalise a selector: labels of letters, digits and hyphens, with dots between them (RFC 6376 section 3.1).

    :raises KeyProblem: it is none
    """
    plain = selector.lower()
    if not all(_SELECTOR_LABEL.fullmatch(label) and len(label) <= 63 for label in plain.split(".")):
        raise KeyProblem(
            "a selector is made of labels of letters, digits and hyphens, at most 63 each, with dots between them "
            "(RFC 6376 section 3.1)"
        )
    return plain


def is_private_key(key: str) -> bool:
    """Tell whether a text that should be a public key is a private one: as PEM, or as bare base64 (RFC 8017, RFC 5958).

    Callers ask this before anything could print the text.
    """
    if "PRIVATE KEY" in key:
        return True
    try:
        # PKCS#1 and PKCS#8 private keys begin with a version number, public keys never.
        version, _rest = _element(_sequence(base64.b64decode(re.sub(r"\s", "", key), validate=True)), 0x02)
    except (ValueError, IndexError):
        return False
    return version in (b"\x00", b"\x01")


def is_key(text: str) -> bool:
    """Tell whether a TXT value is a key record: a tag list with p=, where v= is optional (RFC 6376 section 3.6.1)."""
    try:
        return tags.parse_tags(text).get("p") is not None
    except TagError:
        return False


def key_record(public_key: str) -> str:
    """Build the TXT value of a key that a user gives.

    :param public_key: a public key as PEM, as bare base64 (of SubjectPublicKeyInfo or PKCS#1, or of the 32 bytes of
        ed25519), or a whole record, which is checked and published in its :func:`normal_form`
    :returns: the TXT value, of any length; an RSA key as SubjectPublicKeyInfo
    :raises KeyProblem: it is no usable public key; a private key is refused without being shown
    """
    text = public_key.strip()
    if is_private_key(text) or is_private_key(_data(text) or ""):
        raise KeyProblem("this is a private key: only its public half belongs in the DNS (RFC 6376 section 3.6)")
    record = normal_form(text) if is_key(text) else _record(_der(text))
    verdict = judge_key(record)
    if verdict.faults:
        raise KeyProblem(verdict.faults[0])
    return record


def normal_form(record: str) -> str:
    """A key record as receivers read it best: its key without blanks, on one line, an RSA key as SubjectPublicKeyInfo.

    RFC 6376 section 3.6.1 names the form of PKCS#1; its example (appendix C) and all that verify have the other one,
    and OpenDKIM and Mail::DKIM refuse PKCS#1.

    :param record: a text that is a key record
    """
    parsed = tags.parse_tags(record)
    found = replace(parsed, tags=tuple(_on_one_line(tag) for tag in parsed), tail=None if parsed.tail is None else "")
    data = re.sub(r"\s", "", found.get("p") or "")
    try:
        der = base64.b64decode(data, validate=True)
    except ValueError:
        der = b""
    if (found.get("k") or "rsa") == "rsa" and _is_pkcs1(der):
        data = base64.b64encode(_info(der)).decode()
    return str(found.with_value("p", data)).strip()


def judge_published(values: Sequence[str]) -> KeyVerdict:
    """Judge what stands at a selector: one TXT record and no other, whatever it holds (RFC 6376 section 3.6.2.2).

    :param values: the decoded TXT values there
    """
    if not values:
        return KeyVerdict(faults=["there is no key at this selector (RFC 6376 section 6.1.2)"], kind="missing")
    if len(values) > 1:
        rule = "only one may be, and which of them receivers take is undefined (RFC 6376 section 3.6.2.2)"
        fault = f"there are {len(values)} TXT records at this selector, where {rule}"
        return KeyVerdict(faults=[fault], kind="several")
    return judge_key(values[0])


def key_digest(values: Sequence[str]) -> str | None:
    """What tells one published key from another, however its record is written; None when there is no key.

    :param values: the decoded TXT values at the selector
    :returns: 12 hexadecimal digits
    """
    keys = []
    for text in values:
        try:
            keys.append("".join((tags.parse_tags(text).get("p") or "").split()))
        except TagError:
            continue
    told = sorted(filter(None, keys))
    return sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()[:12] if told else None


def judge_key(text: str) -> KeyVerdict:
    """Judge a key record as receivers do.

    :param text: a decoded TXT value found at ``selector._domainkey.domain``
    :returns: the verdict; a text that is no key record is a fault too, nothing is raised
    """
    verdict = KeyVerdict()
    try:
        record = tags.parse_tags(text)
    except TagError as error:
        verdict.refuse("no_key", f"it is no key record: {error}")
        return verdict
    _judge_tags(record, verdict)
    if not verdict.faults:
        _judge_data(record, verdict)
    return verdict


def _judge_tags(record: TagList, verdict: KeyVerdict) -> None:
    first = record.tags[0]
    if record.get("v") is not None and (first.name, first.value) != ("v", "DKIM1"):
        verdict.refuse("no_key", "v= must be the first tag and say DKIM1 (RFC 6376 section 3.6.1)")
    if record.get("p") is None:
        verdict.refuse("no_key", "there is no p=, so it is no key record (RFC 6376 section 3.6.1)")
    verdict.algorithm = record.get("k") or "rsa"
    if verdict.algorithm not in ("rsa", "ed25519"):
        verdict.refuse("algorithm", f"k={verdict.algorithm} is no algorithm that receivers know (RFC 8301, RFC 8463)")
    if not _lists(record, "h", "sha256"):
        verdict.refuse("h", "h= does not list sha256, and receivers must not use sha1 (RFC 8301 section 3.1)")
    if not _lists(record, "s", "email", "*"):
        verdict.refuse("s", "s= does not list email, so the key is not for mail (RFC 6376 section 3.6.1)")
    if _lists(record, "t", "y") and record.get("t"):
        verdict.be_cautious(
            "t=y says that DKIM is being tested: receivers treat the mail as unsigned (RFC 6376 section 3.6.1)"
        )
    if _lists(record, "t", "s") and record.get("t"):
        verdict.concerns.append(
            "t=s says that i= of a signature is the domain itself: with an i= below d= it fails "
            "(RFC 6376 section 3.6.1)"
        )


def _lists(record: TagList, name: str, *wanted: str) -> bool:
    """Whether a colon-separated tag is absent or lists one of the wanted values."""
    value = record.get(name)
    return value is None or any(item.strip() in wanted for item in value.split(":"))


def _judge_data(record: TagList, verdict: KeyVerdict) -> None:
    data = re.sub(r"\s", "", record.get("p") or "")
    if not data:
        verdict.refuse("revoked", "p= is empty: the key has been revoked (RFC 6376 section 3.6.1)")
        return
    try:
        der = base64.b64decode(data, validate=True)
    except ValueError:
        verdict.refuse("data", "p= is no base64 (RFC 6376 section 3.6.1)")
        return
    if verdict.algorithm == "ed25519":
        if len(der) != 32:
            verdict.refuse("data", f"an ed25519 key has 32 bytes, this one {len(der)} (RFC 8463 section 4)")
        return
    _judge_rsa(der, verdict)


def _judge_rsa(der: bytes, verdict: KeyVerdict) -> None:
    if _is_pkcs1(der):
        verdict.be_cautious(
            "p= holds the key in the form of PKCS#1, which OpenDKIM and Mail::DKIM refuse: publish it as "
            "SubjectPublicKeyInfo (RFC 6376 section 3.6.1 and appendix C)"
        )
    try:
        verdict.bits = _rsa_bits(der)
    except (ValueError, IndexError):
        verdict.refuse("data", "p= holds no RSA public key (RFC 6376 section 3.6.1)")
        return
    if verdict.bits < MIN_RSA_BITS:
        verdict.refuse(
            "small",
            f"the RSA key has {verdict.bits} bits: receivers ignore keys below {MIN_RSA_BITS} (RFC 8301 section 3.2)",
        )
    elif verdict.bits > MAX_RSA_BITS:
        verdict.be_cautious(
            f"the RSA key has {verdict.bits} bits: receivers need not use keys above {MAX_RSA_BITS} "
            "(RFC 8301 section 3.2)"
        )
    elif verdict.bits < GOOD_RSA_BITS:
        verdict.concerns.append(
            f"the RSA key has {verdict.bits} bits; {GOOD_RSA_BITS} are advised (RFC 8301 section 3.2)"
        )


def _der(public_key: str) -> bytes:
    """The bytes of a key given as PEM or base64."""
    pem = _PEM.search(public_key)
    try:
        return base64.b64decode(re.sub(r"\s", "", pem["body"] if pem else public_key), validate=True)
    except ValueError:
        raise KeyProblem(
            "a public key is given as PEM, as base64 or as a whole record (RFC 6376 section 3.6.1)"
        ) from None


def _record(der: bytes) -> str:
    if der.startswith(_ED25519_INFO) or len(der) == 32:
        start = len(der) - 32
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(der[start:]).decode()}"
    return f"v=DKIM1; k=rsa; p={base64.b64encode(_info(der) if _is_pkcs1(der) else der).decode()}"


def _data(text: str) -> str | None:
    """The key in a record as it stands there; None when the text is no record."""
    return tags.parse_tags(text).get("p") if is_key(text) else None


def _on_one_line(tag: Tag) -> Tag:
    """A tag without the ends of lines that a text over several lines has around or inside it."""
    value, before = _joined(tag.value, " "), _joined(tag.before, " ")
    return Tag(tag.name, value, before, _joined(tag.equals, ""), _joined(tag.after, ""))


def _joined(text: str, between: str) -> str:
    """The words of a text over several lines with this between them, any other text as it is."""
    if "\n" not in text and "\r" not in text:
        return text
    return between.join(text.split()) or between


def _is_pkcs1(der: bytes) -> bool:
    """Whether bytes begin as a bare RSAPublicKey does: a sequence whose first element is a number (RFC 8017)."""
    try:
        _element(_sequence(der), 0x02)
    except (ValueError, IndexError):
        return False
    return True


def _info(der: bytes) -> bytes:
    """A bare RSAPublicKey as SubjectPublicKeyInfo (RFC 3279 section 2.3.1)."""
    return _wrapped(0x30, _RSA_ALGORITHM + _wrapped(0x03, b"\x00" + der))


def _wrapped(tag: int, content: bytes) -> bytes:
    """One DER element (X.690 section 8.1)."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _rsa_bits(der: bytes) -> int:
    """The size of the modulus in a DER SubjectPublicKeyInfo, or in a bare RSAPublicKey (RFC 8017 appendix A.1.1).

    :raises ValueError: it is neither
    """
    outer = _sequence(der)
    if _RSA in outer[:24]:
        _algorithm, rest = _element(outer, 0x30)
        bits, _none = _element(rest, 0x03)
        outer = _sequence(bits[1:])
    modulus, exponent = _element(outer, 0x02)
    _element(exponent, 0x02)
    return int.from_bytes(modulus, "big").bit_length()


def _sequence(der: bytes) -> bytes:
    content, rest = _element(der, 0x30)
    if rest:
        raise ValueError("bytes after the end")
    return content


def _element(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split off the content of one DER element of a tag (X.690 section 8.1)."""
    if der[0] != tag:
        raise ValueError("another element")
    length, start = der[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(der[2:start], "big")
    end = start + length
    if end > len(der):
        raise ValueError("cut off")
    return der[start:end], der[end:]
