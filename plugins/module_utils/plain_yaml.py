# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""Plain YAML by PyYAML's safe and fast loader, with errors that quote nothing of the text: it may hold a secret."""

from __future__ import annotations

import re

from ansible_collections.mailroom.erp.plugins.module_utils.libraries import require

_QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)
"""What PyYAML quotes: the name of an alias or of a tag, which is the value itself when a secret begins with * or !."""


class BadYaml(Exception):
    """The text is no YAML; the message says in which line, not what stands there."""


def load_yaml(text: str) -> object:
    """Read one YAML document.

    :param text: plain YAML; tags of programming languages are refused
    :returns: dicts, lists, str, int, float, bool, None and dates
    :raises BadYaml: it is no valid YAML
    :raises MissingLibrary: PyYAML is not installed
    """
    yaml = require("yaml")
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "unknown"
        told = _QUOTED.sub("(not shown)", str(error.problem))
        raise BadYaml(f"line {line} is no valid YAML: {told}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise BadYaml("it is no valid YAML") from None
