"""Chromium and what is asked of every page in it: axe-core finds nothing, nothing is too wide, controls can be seen."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
AXE = "axe-core@4.14.1"
AXE_FOLDER = Path(__file__).parent.parent / ".cache" / "axe"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

# What axe does not look at (WCAG 1.4.11): whether the edge, or the face, of each control stands out from what is
# behind it by 3 to 1. Radios and checkboxes are drawn by the `::before` of their label; files, and boxes to tick in a
# table, by the browser.
FAINT_CONTROLS = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  const opaque = c => c.length === 3 || c[3] === 1;
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const face = rgb(getComputedStyle(at).backgroundColor);
      if (face.length && opaque(face)) return face;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const inputs = "main input:not([type=hidden], [type=file], .choose)";
  const controls = `${inputs}, main textarea, main select, main button, .govuk-button`;
  for (const control of document.querySelectorAll(controls)) {
    if (control.closest(".trap")) continue;
    const drawn = ["radio", "checkbox"].includes(control.type)
      ? getComputedStyle(document.querySelector(`label[for="${control.id}"]`), "::before") : getComputedStyle(control);
    const around = behind(control.parentElement);
    const face = rgb(drawn.backgroundColor), edge = rgb(drawn.borderTopColor);
    const shown = [drawn.borderTopWidth !== "0px" && opaque(edge) ? ratio(edge, around) : 1,
      opaque(face) ? ratio(face, around) : 1,
      control.matches("button, a") ? ratio(rgb(drawn.color), behind(control)) : 1];
    if (Math.max(...shown) < 3) faint.push(control.outerHTML.slice(0, 120));
  }
  return faint;
}"""


def chromium() -> Iterator[Browser]:
    """A browser; skips where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


def axe_script() -> str:
    """The text of axe-core, from npm."""
    tarball = AXE_FOLDER / f"{AXE.replace('@', '-')}.tgz"
    if not tarball.exists():
        if not shutil.which("npm"):
            pytest.skip("npm is missing: it brings axe-core")
        AXE_FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", AXE], cwd=AXE_FOLDER, check=True, capture_output=True, timeout=120)
    with tarfile.open(tarball) as package:
        script = package.extractfile("package/axe.min.js")
        assert script
        return script.read().decode()


def follow(target: Locator) -> None:
    """Press a link or a button, and wait for the page it leads to, whatever its address.

    A click alone returns before the next page is there: what looks then sees the old one, or none.
    """
    with target.page.expect_navigation():
        target.click()


def complaints_of_axe(page: Page, axe: str) -> list[Any]:
    """What axe-core finds wrong with a page, and the contrast that it could not tell."""
    page.evaluate(axe)
    result = page.evaluate("rules => axe.run(document, rules)", RULES)
    assert len(result["passes"]) > 8
    # Of letters in an SVG axe cannot tell: test_chart.py does.
    unsure = [found for found in result["incomplete"] if found["id"] == "color-contrast"
              and not all(node["html"].startswith("<text ") for node in found["nodes"])]  # fmt: skip
    return [(found["id"], [node["html"] for node in found["nodes"]]) for found in (*result["violations"], *unsure)]


def expect_accessible(page: Page, axe: str, widths: tuple[int, ...] = (1280,)) -> None:
    """Nothing for axe-core at these widths, no faint control, one main heading, a title of its own."""
    usual = page.viewport_size
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        assert complaints_of_axe(page, axe) == [], page.url
        assert page.evaluate(FAINT_CONTROLS) == [], page.url
    assert page.locator("h1").count() == 1, page.url
    assert page.title().startswith("Error: ") == (page.locator(".govuk-error-summary").count() > 0), page.url
    if usual:
        page.set_viewport_size(usual)


def expect_narrow(page: Page) -> None:
    """Nothing is wider than a narrow telephone (WCAG 1.4.10)."""
    usual = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    if usual:
        page.set_viewport_size(usual)
