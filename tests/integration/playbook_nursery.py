# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has loaded the program ansible-playbook, and makes a copy of itself for each run.

Loading takes more processor time than most runs. A copy stands where the program stands before it reads its first
argument, so everything after that is the program's own. What Ansible reads from its variables while it is loaded is the
same for all runs, but for the folder of its temporary files, which each copy gets anew.
Each line of JSON, ``{"arguments": ..., "folder": ..., "home": ..., "environment": ..., "output": ...}``, is one run;
prints its exit code.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ALL_USED = ("callback_loader", "connection_loader", "shell_loader", "become_loader")
"""What Ansible reads all plugins of at the start of each run, with their documentation."""
_USED = {
    "inventory_loader": ["host_list", "script", "auto", "yaml", "ini", "toml"],
    "strategy_loader": ["linear"],
    "action_loader": ["normal", "debug", "assert", "set_fact", "validate_argument_spec", "copy"],
}
"""What Ansible loads for a play on this machine; it loads what is missing here in each run."""


def load() -> Callable[[list[str]], None]:
    """Load the program and what every run of it loads; returns what runs it, given its name and arguments."""
    import ansible.executor.playbook_executor  # noqa: F401
    from ansible.cli.playbook import PlaybookCLI

    _read_metadata_once()
    _load_plugins()
    run: Callable[[list[str]], None] = PlaybookCLI.cli_executor
    return run


def _load_plugins() -> None:
    """Load the plugins of Ansible that all runs use, and those of the collection, by Ansible's own loader."""
    import ansible.cli
    from ansible.plugins import loader

    loader.init_plugin_loader()
    # Once is enough, and Ansible warns of a second time.
    vars(ansible.cli)["init_plugin_loader"] = lambda *_paths: None
    for plugins in _ALL_USED:
        list(getattr(loader, plugins).all(class_only=True))
    for plugins, names in _USED.items():
        for name in names:
            getattr(loader, plugins).get(name, class_only=True)
    # One of each makes Ansible load all that are its own.
    loader.filter_loader.get("default")
    loader.test_loader.get("defined")
    for kind in ("action", "filter", "lookup"):
        for file in sorted((Path(__file__).parents[2] / "plugins" / kind).glob("*.py")):
            importlib.import_module(f"ansible_collections.mailroom.erp.plugins.{kind}.{file.stem}")
    from ansible_collections.mailroom.erp.plugins.plugin_utils.running import local_module

    local_module._LAUNCHER = Path(__file__).with_name("module_client.py")
    from ansible_collections.mailroom.erp.plugins.plugin_utils.catalogue.catalogue_loader import Catalogue

    catalogue = Catalogue()
    for read, part in ((catalogue.system, "systems"), (catalogue.service, "services")):
        for name in catalogue.names(part):
            read(name)


def _read_metadata_once() -> None:
    """Keep the parsed metadata of ansible.builtin, half a megabyte of YAML; Ansible lets tools replace the parser."""
    from ansible.utils.collection_loader import _collection_finder as finder

    parse = finder._meta_yml_to_dict

    @functools.cache
    def parsed(text: str | bytes) -> bytes:
        return pickle.dumps(parse(text, "cached"))

    def cached(text: str | bytes, content_id: Any) -> Any:
        return pickle.loads(parsed(text))

    finder._meta_yml_to_dict = cached
    runtime = Path(sys.modules["ansible"].__path__[0], "config", "ansible_builtin_runtime.yml")
    parsed(runtime.read_bytes())


def become(order: dict[str, Any], run: Callable[[list[str]], None]) -> None:
    """Be the program in the folder of one run; ends as the program does."""
    from ansible import constants
    from ansible.config import manager

    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    constants.ANSIBLE_HOME = order["home"]
    temporary = Path(order["home"], "tmp")
    temporary.mkdir(parents=True, exist_ok=True)
    constants.DEFAULT_LOCAL_TMP = tempfile.mkdtemp(prefix="ansible-local-", dir=temporary)
    manager.atexit.register(manager.cleanup_tmp_file, constants.DEFAULT_LOCAL_TMP, warn=True)
    sys.argv = ["ansible-playbook", *order["arguments"]]
    run(sys.argv)


def main() -> None:
    """Make a copy for each line of the input, one after the other, until there are no more."""
    import atexit

    run = load()
    gc.freeze()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            # The folder that was made while loading is the parent's to remove.
            atexit._clear()
            quiet = os.open(os.devnull, os.O_RDONLY)
            os.dup2(quiet, 0)
            become(json.loads(line), run)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
