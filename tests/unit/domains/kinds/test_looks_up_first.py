# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recipe that wants to know something of the world first says so by its class, else it would never be told."""

from __future__ import annotations

import inspect
import sys

from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds import kind_table
from ansible_collections.mailroom.erp.plugins.module_utils.domains.kinds.recipe import LooksUpFirst


def test_every_recipe_that_asks_is_of_the_class_that_a_run_looks_for() -> None:
    modules = [sys.modules[kind.read.__module__] for kind in kind_table.RECORD_KINDS]
    classes = [found for module in modules for name, found in inspect.getmembers(module, inspect.isclass)]
    asking = {one.__name__ for one in classes if hasattr(one, "asks") and not inspect.isabstract(one)}
    assert asking == {one.__name__ for one in classes if issubclass(one, LooksUpFirst)} - {"LooksUpFirst"}
    assert asking == {"SpfRecipe", "ReportRecipe", "MtaStsRecipe"}
