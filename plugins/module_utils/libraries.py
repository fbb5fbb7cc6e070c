# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change at any time, and nothing outside may import it.
"""The one guard for libraries that Ansible does not bring: imported on first use, named when missing."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_PACKAGES = {
    "cloudflare": "cloudflare>=5.0,<6",
    "cryptography": "cryptography>=42",
    "dns": "dnspython>=2.6",
    "idna": "dnspython[idna]>=2.6",
    "msal": "msal>=1.35",
    "octodns": "octodns>=1.10",
    "publicsuffixlist": "publicsuffixlist>=1.0.2",
    "requests": "requests>=2.31",
    "yaml": "PyYAML>=6.0",
}


class MissingLibrary(Exception):
    """A library that this task needs is not installed; the message says which and how to get it."""


def require(module: str) -> ModuleType:
    """Import a third-party module, or say how to install it.

    :param module: the dotted name of the module, e.g. ``dns.resolver``
    :returns: the module itself (not its top-level package)
    :raises MissingLibrary: the package is not installed for this Python
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing_library(module, _PACKAGES[module.partition(".")[0]], error) from error


def missing_library(module: str, package: str, error: ImportError) -> MissingLibrary:
    """Say how to install a module that could not be imported.

    :param module: its dotted name
    :param package: as pip knows it
    """
    return MissingLibrary(
        f"The Python library {package!r} is needed, but {sys.executable} cannot import {module!r}: {error}. "
        f"Install it there: {sys.executable} -m pip install '{package}'"
    )
