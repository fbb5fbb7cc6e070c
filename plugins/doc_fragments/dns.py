# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the DNS modules share; the mirror of ``dns/providers`` and ``domains/dns_module_options``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  dns:
    description:
      - The DNS account that holds the zone. Always given whole; one variable per account is the usual way.
      - An option that belongs to another provider, or that no provider has, is refused before anything is done.
    type: dict
    suboptions:
      provider:
        description: The kind of DNS service.
        type: str
        required: true
        choices:
          cloudflare: Zones at Cloudflare, through its API. Needs the library C(cloudflare).
          octodns: Any DNS service that has a provider class for octoDNS. Needs the libraries C(octodns) and that of the
            class.
          rfc2136: A name server that takes dynamic updates (RFC 2136), such as BIND, Knot or PowerDNS.
          transip: Domains at TransIP, through its API. Needs the libraries C(requests) and, to sign in with a key pair,
            C(cryptography).
          zonefile: Master files (RFC 1035) on the controller.
      api_token:
        description:
          - An API token (not the Global API Key) with the permissions C(Zone Read) and C(DNS Edit); it may be limited
            to the zones concerned. Required by provider V(cloudflare).
        type: str
      base_url:
        description:
          - Where the API is. Provider V(cloudflare), V(https://api.cloudflare.com/client/v4) unless given; V(transip),
            V(https://api.transip.nl/v6). Must begin with C(https://), except on this machine.
        type: str
      server:
        description: Address or name of the primary name server. Required by provider V(rfc2136).
        type: str
      port:
        description: Port of the name server. Provider V(rfc2136), V(53) unless given.
        type: int
      key_name:
        description: Name of the TSIG key (RFC 8945). Provider V(rfc2136); goes with O(dns.key_secret).
        type: str
      key_secret:
        description: Secret of the TSIG key, in base64. Provider V(rfc2136).
        type: str
      key_algorithm:
        description: Algorithm of the TSIG key. Provider V(rfc2136), V(hmac-sha256) unless given.
        type: str
        choices: [hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
      timeout:
        description: Seconds to wait for one answer. Provider V(rfc2136), V(10) unless given; V(cloudflare), V(30);
          V(transip), V(30).
        type: float
      path:
        description: A master file, or a folder of C(<zone>.zone) files. Required by provider V(zonefile).
        type: path
      class:
        description:
          - The dotted name of octoDNS's provider class, for example V(octodns_powerdns.PowerDnsProvider).
            Required by provider V(octodns). C(docs/providers.md) lists the classes that are known to work.
        type: str
      options:
        description:
          - The options of the class that are no secrets, as in octoDNS's configuration, without C(class). Values such
            as C(env/NAME) are not looked up. Provider V(octodns).
        type: dict
      secrets:
        description:
          - The options of the class that are secrets, each a text of eight characters or more. They are never shown,
            neither is what the class itself logs. Provider V(octodns).
        type: dict
      zones:
        description:
          - The zones of this account. Needed with classes that cannot list theirs, unless C(zone) is given.
            Provider V(octodns).
        type: list
        elements: str
      accept_whole_zone_writes:
        description:
          - Zones that may be written by a class that writes whole zones, so that what somebody else changes in the same
            moment is lost. Any other such zone is refused. Provider V(octodns).
        type: list
        elements: str
      accept_record_gaps:
        description:
          - Zones that may be written by a class that deletes records before it creates the new ones, so that for a
            moment there is no record, or two. Any other such zone is refused. Provider V(octodns).
        type: list
        elements: str
      login:
        description: The name of the account. Required by provider V(transip).
        type: str
      private_key:
        description:
          - The private key of a key pair of the account, in PEM. Tokens of one hour are got with it, one that may only
            read as long as nothing is written. Provider V(transip), unless O(dns.token) is given.
        type: str
      token:
        description:
          - An access token of the account instead of a private key. One that may only read is enough for check mode.
            Provider V(transip).
        type: str
  accept_undelegated:
    description:
      - Zones that may change although nobody sees the change yet, or nobody can tell. Any other such zone is refused
        before anything is written.
      - Such a zone is one that the world finds at other name servers, or nowhere; one for whose records its own name
        servers answer something else, such as another view; and one of an account that does not tell its name servers
        (a partial set-up of Cloudflare, many classes of octoDNS) while no record that changes is as the world has it.
      - When the world cannot be asked, or a resolver may have answered from memory, a warning says so.
    type: list
    elements: str
    default: []
  snapshot_dir:
    description:
      - The folder for snapshots and for the journal. Before the first write of a run, all records that are about to
        change go into one file there; M(mailroom.erp.mail_records_restore) brings them back.
      - Unless given, C($XDG_STATE_HOME/mailroom), or C(~/.local/state/mailroom). It is made for this user only.
    type: path
  why:
    description:
      - The reason of the run, for the snapshot and the journal. The number of a change request is a good one.
      - Unless given, the name of the task.
    type: str
requirements:
  - dnspython >= 2.6
  - idna, for internationalised domain names
  - cloudflare >= 5.0, for provider V(cloudflare) only
  - octodns >= 1.10 and the package of the class, for provider V(octodns) only
  - requests >= 2.31 and cryptography >= 42, for provider V(transip) only
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what it would change, without writing anything anywhere.
    support: full
  diff_mode:
    description: Returns the old and the new record when in diff mode.
    support: full
  idempotent:
    description: Changes nothing when the records are as declared.
    support: full
  action_group:
    description: Use C(group/mailroom.erp.dns) in C(module_defaults) to give O(dns) and O(resolver) once.
    support: full
    membership: [mailroom.erp.dns]
"""

    RESOLVER = r"""
options:
  resolver:
    description:
      - Where to look up what the world sees, for example the records that an C(include:) names.
      - Unless given, the controller's own resolver is asked.
    type: dict
    suboptions:
      nameservers:
        description: Addresses of the name servers to ask.
        type: list
        elements: str
        default: []
      port:
        description: Port of these name servers.
        type: int
        default: 53
      zonefiles:
        description:
          - Master files, or folders of C(<zone>.zone) files, that answer before any name server is asked.
          - Without O(resolver.nameservers) nothing else is asked, so that no network is needed. Then nothing stands
            above the zones that there are, and any other name cannot be looked up.
        type: list
        elements: path
        default: []
      timeout:
        description: Seconds to wait for the answer to one question.
        type: float
        default: 5.0
"""

    ACCOUNTS = r"""
options:
  accounts:
    type: list
    elements: dict
    suboptions:
      provider:
        description: As O(dns.provider).
        type: str
        required: true
        choices: [cloudflare, rfc2136, zonefile, octodns, transip]
      api_token:
        description: As O(dns.api_token).
        type: str
      base_url:
        description: As O(dns.base_url).
        type: str
      server:
        description: As O(dns.server).
        type: str
      port:
        description: As O(dns.port).
        type: int
      key_name:
        description: As O(dns.key_name).
        type: str
      key_secret:
        description: As O(dns.key_secret).
        type: str
      key_algorithm:
        description: As O(dns.key_algorithm).
        type: str
        choices: [hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
      timeout:
        description: As O(dns.timeout).
        type: float
      path:
        description: As O(dns.path).
        type: path
      class:
        description: As O(dns.class).
        type: str
      options:
        description: As O(dns.options).
        type: dict
      secrets:
        description: As O(dns.secrets).
        type: dict
      zones:
        description: As O(dns.zones).
        type: list
        elements: str
      accept_whole_zone_writes:
        description: As O(dns.accept_whole_zone_writes).
        type: list
        elements: str
      accept_record_gaps:
        description: As O(dns.accept_record_gaps).
        type: list
        elements: str
      login:
        description: As O(dns.login).
        type: str
      private_key:
        description: As O(dns.private_key).
        type: str
      token:
        description: As O(dns.token).
        type: str
"""

    PROGRESS = r"""
options:
  progress_file:
    description:
      - Where the module notes how far it is. The controller sets it and shows the lines while the module runs; do not
        set it.
    type: path
"""
