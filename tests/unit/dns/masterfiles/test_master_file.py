# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's master file stays that person's file: only the entries of a change, and the serial, are rewritten."""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles import master_file_entries
from ansible_collections.mailroom.erp.plugins.module_utils.dns.masterfiles.master_file import MasterFile, next_serial
from ansible_collections.mailroom.erp.plugins.module_utils.dns.provider import ProviderError
from ansible_collections.mailroom.erp.plugins.module_utils.dns.records import Change, RRset
from hypothesis import given
from hypothesis import strategies as st

ZONE = "acme.example"
TODAY = date(2026, 11, 20)
HEAD = "$TTL 3600\n@ IN SOA ns1 hostmaster 7 7200 3600 1209600 300\n  IN NS ns1\nns1 IN A 192.0.2.53\n"

BY_HAND = """\
; acme.example, kept by Jan. Ask before you touch the MX!
$ORIGIN acme.example.
$TTL 1h\t; one hour
@\t\tIN\tSOA\tns1 hostmaster (
\t\t\t2026101501\t; serial
\t\t\t2h 1h 2w 5m )
\t\tIN\tNS\tns1
\t\tIN\tMX\t10 mail
\t\tIN\tTXT\t"google-site-verification=abc"   ; marketing
\t\tIN\tTXT\t( "v=spf1 mx "\t; our own
\t\t\t      "~all" )\t; and nobody else
\t\t\tTXT\tbare\\;word
ns1\tIN\tA\t192.0.2.53

www\t300\tIN\tCNAME\t@
$ORIGIN mail.acme.example.
@\tA\t192.0.2.25 ; "quoted" ( in a comment
\tTXT\t"caf\u00e9"
$GENERATE 1-3 host$ A 192.0.2.$
; the end
"""


def rrset(name: str, *values: str, ttl: int = 3600, rdtype: str = "TXT") -> RRset:
    return RRset(name, rdtype, ttl, values)


def edit(text: str, *changes: Change) -> str:
    return MasterFile(text.encode(), ZONE, "acme.zone").edited(changes, TODAY).data.decode()


def replaced(text: str, name: str, *values: str, ttl: int | None = None) -> str:
    """The text after the TXT RRset of a name got these values."""
    before = MasterFile(text.encode(), ZONE, "acme.zone").rrset((name, "TXT"))
    kept = before.ttl if before else 3600
    after = rrset(name, *values, ttl=ttl or kept) if values else None
    return edit(text, Change(before, after))


def lines(before: str, after: str) -> list[str]:
    """What changed, line by line, the serial's line left out."""
    found = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in found if line[0] in "+-" and "SOA" not in line and "; serial" not in line]


def test_the_entries_of_a_file_together_are_the_file() -> None:
    assert "".join(entry.text for entry in master_file_entries.split_entries(BY_HAND)) == BY_HAND


@given(st.text(st.sampled_from('ab \t\n;()"\\$@\r'), max_size=60))
def test_what_can_be_split_is_split_without_loss(text: str) -> None:
    try:
        found = list(master_file_entries.split_entries(text))
    except master_file_entries.Unclosed as error:
        assert str(error).startswith("line ")  # noqa: PT017
    else:
        assert "".join(entry.text for entry in found) == text


def test_one_value_is_replaced_where_it_stands() -> None:
    """Comments between the strings of a record stay, in a file as people lay them out."""
    after = replaced(BY_HAND, ZONE, "google-site-verification=abc", "v=spf1 mx a ~all", "bare;word")
    expected = BY_HAND.replace('"v=spf1 mx "', '"v=spf1 mx a ~all"').replace('"~all"', "")
    assert after == expected.replace("2026101501", "2026112000")


def test_a_mixed_ttl_is_made_one() -> None:
    """RFC 2181 section 5.2: the records of an RRset have one TTL; dnspython reports the smallest."""
    text = HEAD + 'x TXT "one"\n  600 TXT "two"\ny A 192.0.2.1\n'
    after = replaced(text, "x.acme.example", "one", "two", "three")
    assert after.endswith('x 600 TXT "one"\n  600 TXT "two"\nx\tIN\t600 TXT\t"three"\ny A 192.0.2.1\n')


def test_a_value_on_one_line_is_all_that_changes() -> None:
    text = HEAD + '@ TXT "v=spf1 mx ~all" ; ours\n@ TXT "other"\n'
    assert lines(text, replaced(text, ZONE, "v=spf1 a ~all", "other")) == [
        '- @ TXT "v=spf1 mx ~all" ; ours',
        '+ @ TXT "v=spf1 a ~all" ; ours',
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "; no line end"])
def test_a_new_name_comes_at_the_end(newline: str, end: str) -> None:
    text = (HEAD + "www A 192.0.2.1\n" + end).replace("\n", newline)
    after = replaced(text, "_dmarc.acme.example", "v=DMARC1; p=none")
    assert after.endswith(f'{newline}_dmarc\tIN\tTXT\t"v=DMARC1; p=none"{newline}')
    assert ("\r\n" in after) == (newline == "\r\n")
    assert after.count("\n") == after.count(newline)


def test_a_new_record_comes_after_the_last_of_its_name() -> None:
    text = HEAD + "www A 192.0.2.1 ; one\n    A 192.0.2.2 ; two\n; next\nftp A 192.0.2.3\n"
    assert lines(text, replaced(text, "www.acme.example", "x")) == ['+ www\tIN\tTXT\t"x"']
    assert '; two\nwww\tIN\tTXT\t"x"\n; next' in replaced(text, "www.acme.example", "x")


def test_a_name_outside_the_last_origin_is_written_absolute() -> None:
    text = HEAD + "$ORIGIN mail.acme.example.\n@ A 192.0.2.1\n"
    assert replaced(text, "_dmarc.acme.example", "x").endswith('_dmarc.acme.example.\tIN\tTXT\t"x"\n')


def test_the_owner_moves_on_when_its_record_goes() -> None:
    text = HEAD + 'www     TXT "x"\n        A 192.0.2.1\n\tA 192.0.2.2\n'
    assert replaced(text, "www.acme.example").endswith(
        "300\n  IN NS ns1\nns1 IN A 192.0.2.53\nwww     A 192.0.2.1\n\tA 192.0.2.2\n"
    )


def test_the_owner_moves_on_when_it_is_longer_than_the_indent() -> None:
    text = HEAD + 'autodiscover TXT "x"\n\tA 192.0.2.1\n'
    assert replaced(text, "autodiscover.acme.example").endswith("192.0.2.53\nautodiscover A 192.0.2.1\n")


def test_ttls_that_others_inherit_are_written_out() -> None:
    """With no $TTL a record takes the TTL last stated (RFC 1035 section 5.1)."""
    text = HEAD.replace("$TTL 3600\n", "") + 'www 60 TXT "x"\nftp A 192.0.2.1\ngo A 192.0.2.2\n'
    after = replaced(text, "www.acme.example")
    assert after.endswith("ftp 60 A 192.0.2.1\ngo A 192.0.2.2\n")


def test_a_record_with_its_own_ttl_between_those_that_inherit() -> None:
    text = HEAD.replace("$TTL 3600\n", "") + "www 60 A 192.0.2.1\nftp A 192.0.2.1\n"
    after = edit(text, Change(None, rrset("www.acme.example", "x", ttl=900)))
    assert after.endswith('www\tIN\t900 TXT\t"x"\nftp 60 A 192.0.2.1\n')


def test_a_ttl_stated_outside_the_zone_counts_as_bind_counts_it() -> None:
    """Whatever the release of dnspython does: it skips such a record before it reads its TTL."""
    text = HEAD.replace("$TTL 3600\n", "") + 'other.example. 60 A 192.0.2.1\nx TXT "v"\n'
    found = MasterFile(text.encode(), ZONE, "f").rrset(("x.acme.example", "TXT"))
    assert found == rrset("x.acme.example", "v", ttl=60)


def test_all_of_a_name_can_go() -> None:
    text = HEAD + 'x TXT "one" ; first\n  TXT "two"\ny A 192.0.2.1\n'
    assert replaced(text, "x.acme.example").endswith("192.0.2.53\ny A 192.0.2.1\n")


def test_the_same_record_written_twice_goes_whole() -> None:
    text = HEAD + 'x TXT "one"\nx TXT "one"\nx TXT "two"\n'
    assert replaced(text, "x.acme.example", "two").endswith('192.0.2.53\nx TXT "two"\n')


def test_of_two_records_with_one_value_one_stays() -> None:
    text = HEAD + 'x TXT "o" "ne"\nx TXT "one"\n'
    before = MasterFile(text.encode(), ZONE, "f").rrset(("x.acme.example", "TXT"))
    assert before is not None
    assert before.values == ("one", "one")
    assert edit(text, Change(before, rrset("x.acme.example", "one"))).endswith('192.0.2.53\nx TXT "o" "ne"\n')


def test_bytes_that_are_no_utf8_stay() -> None:
    data = HEAD.encode() + b'; caf\xe9\nx TXT "caf\xe9"\nx TXT "v"\n'
    master = MasterFile(data, ZONE, "f")
    before = master.rrset(("x.acme.example", "TXT"))
    assert before is not None
    assert before.values == ("caf\udce9", "v")
    after = master.edited([Change(before, rrset("x.acme.example", "caf\udce9", "w"))], TODAY).data
    assert after.endswith(b'; caf\xe9\nx TXT "caf\xe9"\nx TXT "w"\n')


def test_a_backslash_before_a_byte_over_127_is_that_byte() -> None:
    master = MasterFile(HEAD.encode() + 'x TXT "\\é\\\\é"\n'.encode(), ZONE, "f")
    found = master.rrset(("x.acme.example", "TXT"))
    assert found is not None
    assert found.values == ("é\\é",)


def test_numbered_types_are_known() -> None:
    text = HEAD + "x TYPE16 \\# 2 0141\n"
    assert replaced(text, "x.acme.example", "B").endswith('x TYPE16 "B"\n')


def test_a_record_of_generate_is_left_to_its_owner() -> None:
    text = HEAD + "$GENERATE 1-2 h$ CNAME t$\n"
    before = MasterFile(text.encode(), ZONE, "f").rrset(("h1.acme.example", "CNAME"))
    assert before == rrset("h1.acme.example", "t1.acme.example", rdtype="CNAME")
    with pytest.raises(ProviderError, match=r"h1\.acme\.example is no record of its own"):
        edit(text, Change(before, None))


def bystanders(text: str, newline: str) -> list[str]:
    """Comments and directives, without the TTL that a $GENERATE may have to get when the one it inherited goes."""
    found = [line for line in text.split(newline) if line.startswith(("; comment", "$"))]
    return [re.sub("g[$] [0-9]+ A", "g$ A", line) for line in found]


OWNERS = st.sampled_from(["@", "www", "acme.example.", "sub.www", "\t", "   ", "other.example."])
TTLS = st.sampled_from(["", "60 ", "1h "])
DATA = st.sampled_from(
    [
        'TXT "a"',
        'TXT "b" ; note',
        'TXT ( "a" ; one\n "c" ) ; two',
        "A 192.0.2.1",
        "MX 10 mail",
        'TXT "d;" "e"',
        "TYPE16 f",
    ]
)
RECORD = st.builds(lambda owner, ttl, data: f"{owner} {ttl}IN {data}", OWNERS, TTLS, DATA)
OTHER = st.sampled_from(
    ["; comment", "", "$TTL 120", "$ORIGIN www.acme.example.", "$ORIGIN @", "$GENERATE 1-2 g$ A 192.0.2.$"]
)
VALUES = st.lists(st.sampled_from(["a", "ac", "b", "new", "d;e", "f" * 300]), unique=True, max_size=4)


@given(
    st.lists(RECORD | OTHER, max_size=9),
    st.sampled_from([ZONE, "www.acme.example", "sub.www.acme.example"]),
    VALUES,
    st.sampled_from([60, 3600, 77]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_any_change_of_any_layout_keeps_the_rest(
    body: list[str], name: str, values: list[str], ttl: int, newline: str, default: bool
) -> None:
    """The zone says what was asked for, and every line of other records is still there, in its order."""
    text = "\n".join([(HEAD if default else HEAD.removeprefix("$TTL 3600\n")) + body[0] if body else HEAD, *body[1:]])
    text = text.replace("\n", newline)
    master = MasterFile(text.encode(), ZONE, "f")
    before = master.rrset((name, "TXT"))
    if before is None and not values:
        return
    after = master.edited([Change(before, rrset(name, *values, ttl=ttl) if values else None)], TODAY).data
    found = MasterFile(after, ZONE, "f").rrset((name, "TXT"))
    assert (sorted(found.values) if found else []) == sorted(values)
    assert bystanders(after.decode(), newline) == bystanders(text, newline)
    assert after.count(b"\n") == after.count(newline.encode())
    others = [
        {
            (owner, rdtype, found.ttl, frozenset(found.rdatas))
            for owner, node in MasterFile(one, ZONE, "f").records.items()
            for rdtype, found in node.items()
            if rdtype != "SOA" and (owner, rdtype) != (name, "TXT")
        }
        for one in (text.encode(), after)
    ]
    assert others[0] == others[1]


def test_bind_reads_what_was_written(tmp_path: Path) -> None:
    named_checkzone = shutil.which("named-checkzone", path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
    assert named_checkzone, "install the Debian packages bind9 and bind9-utils"
    after = replaced(BY_HAND, ZONE, "v=spf1 mx a:" + "x" * 400 + " ~all", 'semi;colon "quote" \\ é', ttl=60)
    file = tmp_path / "acme.zone"
    file.write_text(after)
    done = subprocess.run(
        [named_checkzone, "-k", "ignore", ZONE, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "loaded serial 2026112000" in done.stdout


@pytest.mark.parametrize(
    ("serial", "following"),
    [
        (1, 2),
        (0, 1),
        (4294967295, 1),
        (4294967294, 4294967295),
        (2026111999, 2026112000),
        (2026112000, 2026112001),
        (2026112007, 2026112008),
        (2020010101, 2026112000),
        (2026112099, 2026112100),
        (2030010100, 2030010101),
        (1234567890, 1234567891),
        (2026139901, 2026139902),
        (1767225600, 1767225601),
    ],
)
def test_serials_go_up_in_their_own_style(serial: int, following: int) -> None:
    assert next_serial(serial, TODAY) == following


SOA = "@ IN SOA ns1 hostmaster 7 7200 3600 1209600 300\n"
BROKEN = [
    ("", "no SOA record for acme.example"),
    ("; nothing but a comment\n", "no SOA record"),
    ("$ORIGIN other.example.\n$TTL 1\n" + SOA + " NS ns1\n", "no SOA record for acme.example"),
    ("$TTL 1\n" + SOA, "no NS record"),
    (HEAD + "x FOO bar\n", "line 5: unknown rdatatype 'FOO'"),
    (HEAD + "x A 192.0.2\n", "line 5"),
    (HEAD + 'x TXT "never closed\n', "line 5: a quote or an escape is not closed"),
    (HEAD + 'x TXT ( "a"\n "b"\n', "line 5: a bracket is not closed"),
    (HEAD + '\n\nx TXT "a" )\n', "line 7"),
    (HEAD + 'x TXT "\\300"\n', "line 5"),
    (HEAD + 'x TXT "' + "a" * 256 + '"\n', "line 5: string too long"),
    (HEAD + "x TXT\n", "line 5: .*ended unexpectedly"),
    (HEAD + "x..y A 192.0.2.1\n", "line 5: .*label is empty"),
    (HEAD + "a" * 64 + " A 192.0.2.1\n", "line 5: .*63 octets"),
    (HEAD + ".".join(["a" * 60] * 5) + " A 192.0.2.1\n", "line 5: .*255 octets"),
    (HEAD + "x CNAME y\nx A 192.0.2.1\n", r"line 6: x\.acme\.example has a CNAME beside other data"),
    (
        HEAD + 'x CNAME y\nx A 192.0.2.1\nz TXT "never closed\n',
        r"line 6: x\.acme\.example has a CNAME beside other data",
    ),
    (HEAD + "$INCLUDE more.zone\n", r"\$INCLUDE.*Put all in one file"),
    (HEAD + "$FOO bar\n", r"line 5: .*'\$FOO' is not allowed"),
    (HEAD + "$TTL soon\n", "line 5: .*TTL"),
    (HEAD + "$GENERATE 1-x a A 192.0.2.$\n", "line 5"),
    (HEAD + "x CH TXT a\n", "line 5: .*class"),
    (HEAD + "x 192.0.2.1\n", "line 5: unknown rdatatype"),
    ("\ufeff" + HEAD, "byte order mark"),
    (HEAD + "x\0 A 192.0.2.1\n", "NUL bytes"),
    (HEAD.replace("\n", "\r"), "carriage return"),
    ("v=spf1 mx -all", "line 1"),
    ("<html><body>Login</body></html>", "line 1"),
]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_a_broken_file_is_refused_with_place_and_reason(text: str, expected: str) -> None:
    with pytest.raises(ProviderError, match=r"^/zones/acme\.zone \(zone acme\.example\): .*" + expected):
        MasterFile(text.encode(), ZONE, "/zones/acme.zone")


def test_two_soa_records_are_refused() -> None:
    text = HEAD + SOA.replace(" 7 ", " 8 ")
    with pytest.raises(ProviderError, match="2 SOA records"):
        replaced(text, ZONE, "x")


@pytest.mark.parametrize(
    ("name", "expected"), [("a.sub.acme.example", "sub.acme.example"), ("x.dn.acme.example", "dn.acme.example")]
)
def test_a_delegation_is_named(name: str, expected: str) -> None:
    master = MasterFile((HEAD + "sub NS ns.other.example.\ndn DNAME other.example.\n").encode(), ZONE, "f")
    found = master.delegation(name)
    assert found == expected
    assert master.delegation("dn.acme.example") is None
    assert master.delegation(ZONE) is None
