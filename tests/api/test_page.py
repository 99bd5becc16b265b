"""The page in a real browser: Chromium, headless."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import ITEMS, STORES
from tests.support.examples import ROOT
from tests.support.parts import chromium
from tests.support.ports import free_port

pytestmark = pytest.mark.needs("Chromium")

DRIVER = """
<!doctype html><iframe id="page" src="/" style="width:1100px;height:900px"></iframe><pre id="log"></pre><script>
const page = document.getElementById("page"), log = [];
const $ = id => page.contentDocument.getElementById(id);
const until = async (what, done) => {
  for (let i = 0; i < 200; i++) { if (done()) return; await new Promise(r => setTimeout(r, 25)); }
  log.push("TIMEOUT " + what);
};
const paths = () => page.contentDocument.querySelectorAll("#chart path").length;
page.onload = async () => {
  await until("chart", () => paths() === 4);
  log.push("model: " + $("model").textContent, "series: " + $("store").options.length + "x" + $("item").options.length,
    "ids: " + JSON.stringify([...$("store").options, ...$("item").options].map(option => option.value)));
  const first = $("total").textContent;
  $("store").selectedIndex = 1; $("store").onchange();
  $("item").selectedIndex = 2; $("item").onchange();
  await until("another item", () => $("total").textContent !== first);
  log.push("total: " + $("total").textContent);
  $("column").value = "promo"; $("value").value = "1"; $("ask").click();
  await until("what if", () => paths() === 5);
  log.push("what if: " + $("total").textContent);
  document.getElementById("log").textContent = log.join("\\n");
};
</script>
"""
APP = f"""
from fastapi.responses import HTMLResponse
from api.app import app
@app.get("/driver", include_in_schema=False)
async def driver():
    return HTMLResponse({DRIVER!r})
"""


@pytest.fixture(scope="module")
def address(opaque: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("page"), free_port()
    (folder / "driven.py").write_text(APP)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PROJECT_DIR": str(opaque), "API_KEY": "",
           "STATE_DIR": str(folder / "state")}
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", "driven:app", "--port", str(port), "--log-level", "error"],
                               cwd=folder, env=env, start_new_session=True)
    try:
        for _ in range(300):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def browse(*arguments: str) -> str:
    browser = chromium()
    assert browser
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,900",
               "--virtual-time-budget=8000", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_the_page_works_in_a_browser(address: str) -> None:
    log = re.search(r'<pre id="log">(.*?)</pre>', browse("--dump-dom", f"{address}/driver"), re.S)
    assert log
    lines = dict(line.split(": ", 1) for line in log[1].splitlines())
    assert set(lines) == {"model", "series", "ids", "total", "what if"}, log[1]
    assert lines["model"].startswith("not promoted yet: model candidate-")
    assert "old · trained through 2024-02-24" in lines["model"]
    assert lines["series"] == "2x3"
    assert json.loads(html.unescape(lines["ids"])) == [*STORES, *ITEMS]
    assert re.match(r"[\d,.]+ unitsin the next 14 days", lines["total"])
    assert re.search(r"what if: [\d,.]+ \(\+[\d.]+ %\)", lines["what if"])  # a promotion sells


def test_a_picture_of_it(address: str, tmp_path: Path) -> None:
    browse(f"--screenshot={tmp_path / 'page.png'}", address)
    assert (tmp_path / "page.png").stat().st_size > 20_000
