"""What `dvc repro` costs: from nothing, and with nothing to do, in a fresh clone of the last commit."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

INTERVAL = 0.05  # seconds between two looks at the memory


def repro_costs(source: Path | None = None) -> dict[str, Any]:
    """Seconds and peak memory (GB, resident, all processes) of a first and a second `dvc repro`; `source` replaces the demo."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ".", clone], check=True)
        if source:
            params = yaml.safe_load((clone / "params.yaml").read_text())
            params["data"]["source"] = str(source.resolve())
            (clone / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
        first, second = observed(clone), observed(clone)
    return {"seconds": first[0], "peak_memory_gb": first[1], "nothing_to_do_seconds": second[0]}


def observed(folder: Path) -> tuple[float, float]:
    """Seconds and peak memory, GB, of one `dvc repro` in the folder."""
    began, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as said:
        process = psutil.Popen([sys.executable, "-m", "dvc", "repro"], cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peak = max(peak, resident(process))
            time.sleep(INTERVAL)
        seconds = time.perf_counter() - began
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"dvc repro failed:\n{said.read().decode()[-2000:]}")
    return seconds, peak / 1e9


def resident(process: psutil.Process) -> int:
    """Bytes of the process and all below it; those that end while one looks count as 0."""
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total
