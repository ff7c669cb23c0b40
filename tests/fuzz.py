"""``make fuzz``: many rounds of the generated laws, on every processor, with progress.

``FUZZ_ROUNDS=first:last`` chooses the rounds; one round is 2,000 builds with a seed of its own, so
that a failing round can be run again by itself:
``TKE_DIRECT_ROUNDS=17:18 python -m pytest -k generated tests/test_laws.py tests/test_lint_laws.py``
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.conftest import ROOT
from tests.test_laws import EXAMPLES

LAWS = ("tests/test_laws.py", "tests/test_lint_laws.py")


def run_round(number: int) -> tuple[int, int, str]:
    """Round number, exit code and output of one round."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *LAWS, "-k", "generated"],
        cwd=ROOT,
        env={**os.environ, "TKE_DIRECT_ROUNDS": f"{number}:{number + 1}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return number, result.returncode, result.stdout


def main() -> int:
    first, last = map(int, os.environ.get("FUZZ_ROUNDS", "0:50").split(":"))
    failed = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        rounds = [pool.submit(run_round, number) for number in range(first, last)]
        for done, future in enumerate(as_completed(rounds), 1):
            number, code, output = future.result()
            if code:
                failed.append(number)
                print(output)
            counts = next((line for line in output.splitlines() if line.startswith("round")), "")
            print(f"[{done}/{len(rounds)}] {counts or f'round {number} failed'}", flush=True)
    print(f"{EXAMPLES * (last - first)} generated builds, failed rounds: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
