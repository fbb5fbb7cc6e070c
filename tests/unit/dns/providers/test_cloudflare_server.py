# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cloudflare test server is held against clients that nobody here wrote: the SDK's models, octoDNS, the OpenAPI."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import cloudflare
import jsonschema
import pytest
from ansible_collections.mailroom.erp.tests.servers.cloudflare import TOKEN, Access, Cloudflare
from ansible_collections.mailroom.erp.tests.servers.faulty_api import DROP_AFTER, ERROR_AFTER, ERROR_BEFORE, LIMIT
from ansible_collections.mailroom.erp.tests.servers.server import zone_text
from octodns.provider.plan import Plan
from octodns.record import Record
from octodns.zone import Zone
from octodns_cloudflare import CloudflareProvider

ZONE = "acme.example"
RECORDS = f"""\
@ 600 TXT "v=spf1 mx ~all"
@ 600 TXT "google-site-verification=abc; def"
odd TXT "octoDNS cannot rewrite a \\"quote\\""
@ MX 10 mail
mail A 192.0.2.1
mail AAAA 2001:db8::1
www CNAME mail
long TXT "{"k" * 255}" "{"p" * 200}"
sub NS ns.elsewhere.example.
"""
CONTRACTS = "MAILROOM_CONTRACTS"
"""Names the folder that holds the vendors' own descriptions of their APIs."""


@pytest.fixture
def server() -> Iterator[Cloudflare]:
    with Cloudflare({ZONE: zone_text(ZONE, RECORDS), "other.example": zone_text("other.example")}, tag_quota=5) as one:
        yield one


def client(server: Cloudflare, token: str = TOKEN) -> Any:
    return cloudflare.Cloudflare(
        api_token=token, base_url=server.base_url, max_retries=0, _strict_response_validation=True
    )


def get(server: Cloudflare, path: str) -> Any:
    request = urllib.request.Request(server.base_url + path, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def unknown(model: Any, raw: Any, where: str) -> list[str]:
    """The fields of an answer that the SDK's model does not have, or has with another value."""
    if isinstance(raw, dict):
        fields = type(model).model_fields if hasattr(type(model), "model_fields") else {}
        known = {field.alias or name: name for name, field in fields.items()}
        strange = [f"{where}.{key}" for key in raw if key not in known]
        pairs = [(getattr(model, known[key]), value, f"{where}.{key}") for key, value in raw.items() if key in known]
        return strange + [one for pair in pairs for one in unknown(*pair)]
    if isinstance(model, datetime):
        return [] if model == datetime.fromisoformat(raw) else [where]
    if isinstance(raw, list):
        return [one for item in zip(model, raw, strict=True) for one in unknown(*item, f"{where}[]")]
    return [] if model == raw else [where]


def test_the_models_of_the_sdk_have_every_field_of_zones_and_records(server: Cloudflare) -> None:
    sdk, zone_id = client(server), server.zones[ZONE].id
    zones, records = sdk.zones.list().result, sdk.dns.records.list(zone_id=zone_id).result
    assert [zone.name for zone in zones] == [ZONE, "other.example"]
    assert {record.type for record in records} == {"TXT", "MX", "A", "AAAA", "CNAME", "NS"}
    raw_zones, raw_records = get(server, "/zones")["result"], get(server, f"/zones/{zone_id}/dns_records")["result"]
    assert unknown(zones, raw_zones, "zone") == []
    assert unknown(records, raw_records, "record") == []


def test_the_comparison_finds_a_strange_field(server: Cloudflare) -> None:
    (record,) = client(server).dns.records.list(zone_id=server.zones[ZONE].id, type="MX").result
    raw = get(server, f"/zones/{server.zones[ZONE].id}/dns_records?type=MX")["result"][0]
    assert unknown(record, {**raw, "priority": 20, "zone_id": "x"}, "record") == ["record.zone_id", "record.priority"]


def test_the_sdk_makes_changes_and_reads_them_back(server: Cloudflare) -> None:
    sdk, zone_id = client(server), server.zones[ZONE].id
    made = sdk.dns.records.create(
        zone_id=zone_id, type="TXT", name="new", ttl=1, content='"x"', comment="why", tags=["a:b"]
    )
    assert (made.name, made.ttl, made.comment, made.tags) == ("new.acme.example", 1, "why", ["a:b"])
    edited = sdk.dns.records.edit(made.id, zone_id=zone_id, type="TXT", name="new.acme.example", ttl=1, content='"y"')
    assert (edited.content, edited.comment, edited.tags) == ('"y"', "why", ["a:b"])
    put = sdk.dns.records.update(made.id, zone_id=zone_id, type="TXT", name="new.acme.example", ttl=300, content='"z"')
    assert (put.content, put.ttl, put.comment, put.tags) == ('"z"', 300, None, [])
    assert sdk.dns.records.get(made.id, zone_id=zone_id) == put
    assert sdk.dns.records.delete(made.id, zone_id=zone_id).id == made.id
    with pytest.raises(cloudflare.NotFoundError, match="81044"):
        sdk.dns.records.edit(made.id, zone_id=zone_id, type="TXT", name="new", ttl=1, content='"y"')


def test_a_batch_is_done_in_the_documented_order_or_not_at_all(server: Cloudflare) -> None:
    sdk, zone_id = client(server), server.zones[ZONE].id
    (www,) = server.records("www.acme.example", "CNAME")
    address = {"type": "A", "name": "www.acme.example", "ttl": 300, "content": "192.0.2.9"}
    done = sdk.dns.records.batch(zone_id=zone_id, posts=[address], deletes=[{"id": www["id"]}])
    assert [one.content for one in done.posts] == ["192.0.2.9"]
    assert [one.id for one in done.deletes] == [www["id"]]
    before = dict(server.zones[ZONE].records)
    alias = {"type": "CNAME", "name": "mail.acme.example", "ttl": 300, "content": "x.example"}
    with pytest.raises(cloudflare.BadRequestError, match="81053"):
        sdk.dns.records.batch(zone_id=zone_id, deletes=[{"id": done.posts[0].id}], posts=[alias])
    assert server.zones[ZONE].records == before
    with pytest.raises(cloudflare.BadRequestError, match="81058"):
        sdk.dns.records.batch(zone_id=zone_id, posts=[address])


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"type": "A", "content": "192.0.2.300"}, "9005"),
        ({"type": "AAAA", "content": "192.0.2.3"}, "9006"),
        ({"type": "CNAME", "content": "no name"}, "9007"),
        ({"type": "TXT", "content": '"x"', "ttl": 30}, "9021"),
        ({"type": "TXT", "content": '"x"', "proxied": True}, "9004"),
        ({"type": "TXT", "content": '"x"', "tags": list("abcdef")}, "9300"),
        ({"type": "TXT", "content": ""}, "9101"),
        ({"type": "SPF", "content": '"x"'}, "9000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_service_refuses_is_refused(server: Cloudflare, wish: dict[str, Any], code: str) -> None:
    with pytest.raises(cloudflare.BadRequestError, match=code):
        client(server).dns.records.create(**{"zone_id": server.zones[ZONE].id, "name": "x", "ttl": 1, **wish})


def test_filters_heed_no_letter_case_and_pages_hold_what_was_asked(server: Cloudflare) -> None:
    sdk, zone_id = client(server), server.zones[ZONE].id
    found = sdk.dns.records.list(zone_id=zone_id, name={"exact": "ACME.example"}, type="TXT")
    assert {record.name for record in found.result} == {ZONE}
    assert len(sdk.dns.records.list(zone_id=zone_id, content={"contains": "V=SPF1"}).result) == 1
    assert len(sdk.dns.records.list(zone_id=zone_id, match="any", type="MX", name={"exact": ZONE}).result) == 3
    assert [len(page.result) for page in sdk.dns.records.list(zone_id=zone_id, per_page=4).iter_pages()] == [4, 4, 2, 0]
    assert len(list(sdk.dns.records.list(zone_id=zone_id, per_page=4))) == len(server.zones[ZONE].records)


def test_a_token_sees_its_zones_only(server: Cloudflare) -> None:
    one, reader = "token-of-one-zone-0123456789", "token-that-reads-only-0123456789"
    server.tokens |= {one: Access({"other.example"}), reader: Access(write=False)}
    assert [zone.name for zone in client(server, one).zones.list()] == ["other.example"]
    with pytest.raises(cloudflare.PermissionDeniedError, match="10000"):
        client(server, one).dns.records.list(zone_id=server.zones[ZONE].id)
    with pytest.raises(cloudflare.PermissionDeniedError, match="10000"):
        client(server, reader).dns.records.batch(zone_id=server.zones[ZONE].id, deletes=[])
    with pytest.raises(cloudflare.PermissionDeniedError, match="9109"):
        client(server, "some-other-token-0123456789").zones.list()
    with pytest.raises(cloudflare.BadRequestError, match="6003"):
        client(server, "short").zones.list()
    with pytest.raises(cloudflare.NotFoundError, match="7003"):
        client(server).dns.records.list(zone_id="0" * 32)


def test_faults_happen_when_they_are_planned(server: Cloudflare) -> None:
    sdk, zone_id = client(server), server.zones[ZONE].id
    post = [{"type": "TXT", "name": "x", "ttl": 1, "content": '"x"'}]
    for fault, error, done in (
        (LIMIT, cloudflare.RateLimitError, False),
        (ERROR_BEFORE, cloudflare.InternalServerError, False),
        (ERROR_AFTER, cloudflare.InternalServerError, True),
        (DROP_AFTER, cloudflare.APIConnectionError, True),
    ):
        serial = server.serial(ZONE)
        server.plan(fault, 2, 7)
        sdk.zones.list()
        with pytest.raises(error) as caught:
            sdk.dns.records.batch(zone_id=zone_id, posts=[{**post[0], "content": f'"{fault}"'}])
        assert (server.serial(ZONE) > serial) is done, fault
        if fault == LIMIT:
            assert caught.value.response.headers["retry-after"] == "7"
        sdk.zones.list()


def test_a_rate_limit_passes(server: Cloudflare) -> None:
    server.limit = (2, 0.3)
    sdk = client(server)
    for _request in range(2):
        sdk.zones.list()
    with pytest.raises(cloudflare.RateLimitError):
        sdk.zones.list()
    server.limit = (0, 0.0)
    sdk.zones.list()


def octodns(server: Cloudflare) -> CloudflareProvider:
    return CloudflareProvider("test", token=TOKEN, api_url=server.base_url, retry_period=0, records_per_page=5)


def populated(server: Cloudflare) -> Zone:
    zone = Zone(f"{ZONE}.", [])
    assert octodns(server).populate(zone)
    return zone


def plan(server: Cloudflare, desired: Zone) -> Plan | None:
    return octodns(server).plan(desired)


def test_octodns_reads_the_zone_plans_and_applies(server: Cloudflare) -> None:
    found = populated(server)
    assert {(record.name, record._type) for record in found.records} >= {
        ("", "TXT"),
        ("", "MX"),
        ("www", "CNAME"),
        ("long", "TXT"),
    }
    assert plan(server, found.copy()) is None, "nothing is to be done on what was read"
    desired = found.copy()
    (apex,) = [record for record in desired.records if (record.name, record._type) == ("", "TXT")]
    values = [value.replace("mx ~all", "mx include:spf.afas.online ~all") for value in apex.values]
    for name, data in (
        ("", {"type": "TXT", "ttl": 600, "values": values}),
        ("s1._domainkey", {"type": "CNAME", "ttl": 3600, "value": "key.service.example."}),
        ("_dmarc", {"type": "TXT", "ttl": 3600, "value": "v=DMARC1\\; p=none"}),
    ):
        desired.add_record(Record.new(desired, name, data), replace=True)
    desired.remove_record(next(record for record in desired.records if record.name == "www"))
    wanted = plan(server, desired)
    assert wanted is not None and len(wanted.changes) == 4
    assert octodns(server).apply(wanted) == 4
    assert plan(server, desired) is None, "and nothing is left to be done"
    assert '"v=spf1 mx include:spf.afas.online ~all"' in server.values(ZONE, "TXT")
    assert server.values("s1._domainkey.acme.example", "CNAME") == ["key.service.example."]
    assert server.values("_dmarc.acme.example", "TXT") == ['"v=DMARC1; p=none"']
    assert server.values("www.acme.example", "CNAME") == []


def nullable(schema: Any) -> Any:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema has a type."""
    if isinstance(schema, list):
        return [nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: nullable(value) for key, value in schema.items()}
    if plain.pop("nullable", False) and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    return plain


def test_the_reads_are_as_cloudflare_s_openapi_describes_them(server: Cloudflare) -> None:
    folder = os.environ.get(CONTRACTS)
    if not folder:
        pytest.skip(f"{CONTRACTS} names no folder with Cloudflare's OpenAPI description")
    described = nullable(json.loads((Path(folder) / "cloudflare-dns-2024-08.openapi.json").read_text()))
    # The service answers null for a record without a comment, and so the SDK's models have it.
    described["components"]["schemas"]["dns-records_comment"]["type"] = ["string", "null"]
    zone_id = server.zones[ZONE].id
    (record, *_rest) = server.records(ZONE, "TXT")
    for path, asked, code in (
        ("/zones", "/zones?per_page=5", "200"),
        ("/zones/{zone_id}/dns_records", f"/zones/{zone_id}/dns_records", "200"),
        ("/zones/{zone_id}/dns_records", f"/zones/{zone_id}/dns_records?per_page=2&page=2", "200"),
        ("/zones/{zone_id}/dns_records/{dns_record_id}", f"/zones/{zone_id}/dns_records/{record['id']}", "200"),
        ("/zones", "/zones?per_page=1", "4XX"),
    ):
        content = described["paths"][path]["get"]["responses"][code]["content"]
        schema = {**content["application/json"]["schema"], "components": described["components"]}
        answer = get(server, asked)
        assert answer["success"] is (code == "200")
        jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(answer)
        broken = {**answer, "success": "yes"}
        assert list(jsonschema.Draft202012Validator(schema).iter_errors(broken)), "the schema tells a wrong answer"
