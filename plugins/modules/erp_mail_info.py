#!/usr/bin/python
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of ``erp_mail_info``; the action plugin of the same name does the work, on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: erp_mail_info
short_description: Turn one ERP environment's declaration into its settings, sheet and needs
version_added: 0.1.0
author:
  - the mailroom.erp authors (@mailroom)
description:
  - Reads only. It turns one environment's declaration into the ERP's mail settings, a sheet for the person who types
    them in, and what the DNS needs for its mail.
  - It judges the declaration by the rules of the ERP system and of the sending service, and fails with all broken
    rules at once, one per line. Each names the environment, the variable, the value, the rule, its source and the way
    out.
  - The role P(mailroom.erp.erp_mail#role) calls it with the variables of the host.
notes:
  - It runs on the controller, with the variables of the task's host.
  - The password is not an option. The module looks at where the variable C(erp_mail_password) stands, without reading
    it, and names that variable in the settings and on the sheet. It warns of a password, and of a secret in
    C(mail_dns_account) or C(mail_dns_domains), that stands as readable text in the inventory.
  - A variable of the host that begins with C(erp_mail_) or C(mail_dns_) but is none of the collection's is an error.
attributes:
  check_mode:
    support: full
    description: Writes nothing, so it runs the same in check mode.
  diff_mode:
    support: none
    description: Changes nothing, so there is no difference to show.
options:
  environment:
    description: The name of the environment, normally the inventory hostname.
    type: str
    required: true
  system:
    description: The ERP system, a name of the catalogue such as V(afas_profit) or V(compad_bakkerij).
    type: raw
    required: true
  state:
    description: V(absent) for an environment that is being decommissioned; one of V(present) and V(absent).
    type: raw
    default: present
  transport:
    description:
      - How the ERP sends, one of the system's own choices, such as V(afas_online) or V(smtp).
      - May be left out when the system has one choice only.
    type: raw
  service:
    description:
      - The service that sends, a name of the catalogue such as V(ziggo) or V(own_relay).
      - May be left out when the transport has one service only.
    type: raw
  senders:
    description: A dictionary of the system's kinds of sender; one address each, or a dictionary of key to address.
    type: raw
  settings:
    description: A dictionary of the fields of the transport to set, by the ids of the catalogue. Never a secret.
    type: raw
  spf_terms:
    description: A list of the SPF terms of the servers that send, instead of those of the catalogue.
    type: raw
  dkim:
    description: A dictionary of the DKIM selectors that the service or relay gave out, by domain.
    type: raw
  consent:
    description: A dictionary of C(app_id), C(publisher_tenant_id) and C(scopes) of a third-party application.
    type: raw
  envelope_from:
    description: The address that bounces go to, when it is not the sender.
    type: raw
  probe_from:
    description:
      - Where the ERP sends from, as O(mailroom.erp.smtp_probe#module:servers[].probe_from) takes it. V(here) is the
        controller.
      - Unless given, the machine that the ERP runs on, which is another place.
    type: raw
  confirmed:
    description:
      - A list of the points of the checklist that are done.
      - Each is an id, or C(id@stamp) with the stamp that the sheet shows, which says for which values it was done.
    type: raw
  secrets:
    description:
      - Whether C(settings.yml) is going to name the variable of a secret (V(reference)) or hold its value (V(inline)).
      - With V(inline) the secret must be readable in this run. It is not in the result.
    type: raw
    default: reference
  own_domains:
    description: A list of the domains that are ours, which is the names of C(mail_dns_domains).
    type: raw
  accept_stale:
    description:
      - The services whose addresses are published although their source is old, which is C(mail_dns_accept_stale).
      - The sheet says of other old addresses that they are held back.
    type: list
    elements: str
  made:
    description:
      - What the role P(mailroom.erp.mail_entra#role) found or made for the environment, the fact C(mail_entra_made).
      - Unless given, an environment with C(mail_entra_tenant) is judged without the ids of its application.
    type: dict
  catalogue_systems:
    description: ERP systems of your own, by name, shaped as the files of the catalogue are.
    type: dict
  catalogue_services:
    description: Sending services of your own, by name, shaped as the files of the catalogue are.
    type: dict
seealso:
  - module: mailroom.erp.mail_domains
"""

EXAMPLES = r"""
- name: Judge the declaration of this host
  mailroom.erp.erp_mail_info:
    environment: "{{ inventory_hostname }}"
    system: afas_profit
    transport: afas_online
    senders:
      environment: erp@acme.example
      administrations:
        "1": finance@acme.example
    own_domains: [acme.example]
  delegate_to: localhost
  register: judged

- name: Show what the DNS must hold
  ansible.builtin.debug:
    var: judged.needs.domains
"""

RETURN = r"""
settings:
  description: The settings, as docs/catalogue.md describes them; empty for an environment that is absent.
  returned: success
  type: dict
  contains:
    format:
      description: The version of this shape.
      returned: always
      type: str
      sample: mailroom.erp/settings/1
    fields:
      description: The fields of the screen in its own order, each with its id, label and value.
      returned: always
      type: list
      elements: dict
settings_yaml:
  description: The settings as the text of C(settings.yml).
  returned: success
  type: str
sheet:
  description: The sheet as Markdown, in the language of the ERP.
  returned: success
  type: str
sheet_html:
  description: The same sheet as one HTML page that needs no other file.
  returned: success
  type: str
problems:
  description: The broken rules, one sentence each.
  returned: always
  type: list
  elements: str
needs:
  description: What the DNS needs for this environment's mail.
  returned: success
  type: dict
  contains:
    domains:
      description: For each domain that is ours the SPF terms, each with its service, source and date.
      returned: always
      type: dict
    dkim:
      description: For each domain that is ours the DKIM selectors, each with its target or key and its service.
      returned: always
      type: dict
    senders:
      description:
        - Every sender that the ERP may take, with C(from), C(envelope_from), C(envelope_domain), C(service), C(sources)
          (SPF terms), C(sources_date) and C(sources_given) (how old these are, and whether the user states them),
          C(dkim) (domain and selectors), C(origin) (the variable) and C(used_for).
        - What nobody gave is null.
      returned: always
      type: list
      elements: dict
    entra:
      description: What the transport needs from Microsoft Entra, an C(application) or a C(consent); null when nothing.
      returned: always
      type: dict
    server:
      description: What the mail server must have, such as C(host), C(port) and C(security); null without one.
      returned: always
      type: dict
    probe:
      description:
        - What to look for at the mail server, an item of O(mailroom.erp.smtp_probe#module:servers); null without a
          server.
      returned: always
      type: dict
    password_end:
      description:
        - How the service ends the sign-in with a password that this environment uses, with C(steps) (dates and effects)
          and their C(source); null when it does not.
        - C(ways) has the transports that take over, each with what it needs in C(entra), and the variables that are
          still to be declared in C(missing).
      returned: always
      type: dict
    foreign:
      description: The senders' domains that are not ours, for which nothing is planned.
      returned: always
      type: list
      elements: str
"""
