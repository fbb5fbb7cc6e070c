# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for `make docs`, from what `antsibull-docs sphinx-init` makes; see the target in the Makefile."""

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

project = "mailroom.erp"
copyright = "2026, the mailroom.erp authors"
title = html_short_title = "mailroom.erp"

extensions = ["sphinx_antsibull_ext", "myst_parser"]
include_patterns = [
    "index.rst",
    "reference/**",
    "*.md",
    "docs/*.md",
    "docs/tutorials/*.md",
    "roles/*/README.md",
    "examples/*/README.md",
]
exclude_patterns = ["CHANGELOG.md"]

# GitHub makes an anchor of each heading, and the pages link to those
myst_heading_anchors = 4

pygments_style = "ansible"
highlight_language = "YAML+Jinja"

html_theme = "sphinx_ansible_theme"
html_theme_options = {"display_version": False, "topbar_links": {}}
html_show_sphinx = False
html_use_modindex = False
html_use_index = False
html_copy_source = False

default_role = "any"
nitpicky = True

# Pygments knows no crontab
lexers["cron"] = TextLexer()

ANSIBLE = "https://docs.ansible.com/projects/ansible/devel"
ELSEWHERE = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "callback_plugins": "plugins/callback.html#callback-plugins",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}
"""What antsibull-docs refers to in Ansible's own documentation; a build must need no network to find it."""


def _elsewhere(app, env, node, contnode):
    target = ELSEWHERE.get(node.get("reftarget"))
    return nodes.reference("", contnode.astext(), refuri=f"{ANSIBLE}/{target}") if target else None


def setup(app):
    app.connect("missing-reference", _elsewhere)
