# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage-guided fuzzing of all that reads what the DNS says: SPF, its evaluation, DMARC and DKIM records.

Run it by ``make fuzz``. What it finds is left in ``build/fuzz``; name such a file as argument to try it again. Once it
is mended, the file goes into ``found_dns`` as ``.bin``: the unit tests try it in each run, and the fuzzer begins with
it.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ansible_collections.mailroom.erp.plugins"]):
    from ansible_collections.mailroom.erp.tests.fuzz.hostile_dns import FOUND, LONGEST, one_case

from ansible_collections.mailroom.erp.tests.unit.policy.evaluation import spf_worlds

FOLDER = Path(__file__).resolve().parents[2] / "build" / "fuzz"
SECONDS_A_CASE = 10
SEEDS = 300


def write_seeds(folder: Path) -> None:
    """Random zones to begin with, so that the fuzzer need not find out what a record looks like."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(SEEDS):
        zone = spf_worlds.world(random.Random(seed), spf_worlds.Style()).zone
        texts = ["\t".join(values) for (_name, rdtype), values in zone.items() if rdtype == "TXT"]
        (folder / f"seed{seed}").write_text(
            "\n".join([spf_worlds.term(random.Random(seed), spf_worlds.Style()), *texts])
        )


def main() -> None:
    """Fuzz as libFuzzer's arguments say, or try the files that they name."""
    corpus = FOLDER / "corpus"
    arguments = sys.argv[1:]
    if all(argument.startswith("-") for argument in arguments):
        write_seeds(corpus)
        arguments += [str(corpus), str(FOUND)]
    options = [f"-dict={Path(__file__).with_name('spf.dict')}", f"-artifact_prefix={FOLDER}/", f"-max_len={LONGEST}"]
    atheris.Setup([sys.argv[0], *options, f"-timeout={SECONDS_A_CASE}", "-rss_limit_mb=1024", *arguments], one_case)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
