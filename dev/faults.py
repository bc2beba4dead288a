"""What is wrong with a page, in both themes and both sizes: accessibility, and what does not fit."""

import os
import re
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

THEMES = ("light", "dark")
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
# In these looks everything is asked; in the other two only what a theme and a size change together.
ALL_RULES = {("light", "wide"), ("dark", "phone")}
EVERYTHING = "() => axe.run({resultTypes: ['violations']})"
COLOURS = "() => axe.run({resultTypes: ['violations'], runOnly: ['color-contrast']})"
CHOOSE = "theme => { document.documentElement.dataset.bsTheme = theme }"
# Parts of a card that are wider than it, and a page that is wider than the screen.
TOO_WIDE = """() => [
  ...[...document.querySelectorAll(".fact > *")].filter(part => part.scrollWidth > part.clientWidth)
    .map(part => `out of its card: ${part.innerText}`),
  ...(document.documentElement.scrollWidth > innerWidth ? ["wider than the screen"] : []),
]"""


def faults(page: Page, name: str) -> list[str]:
    """What axe, and the eye for what does not fit, find on a page that is open, in its four looks.

    The page is loaded once: a theme is one attribute, a size is the window's. `SCREENSHOTS` names a folder to keep
    pictures of all looks in.
    """
    page.emulate_media(reduced_motion="reduce")  # a colour on its way from one to another is no fault
    page.evaluate(Axe().axe_script)
    found = []
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for theme in THEMES:
            page.evaluate(CHOOSE, theme)
            look = f"{name}, {theme} {size}"
            asked = EVERYTHING if (theme, size) in ALL_RULES else COLOURS
            violations = page.evaluate(asked)["violations"]
            found += [f"{look}: {_told(violation)}" for violation in violations]
            found += [f"{look}: {what}" for what in page.evaluate(TOO_WIDE)]
            _keep_picture(page, look)
    return found


def _told(violation: dict[str, Any]) -> str:
    nodes = "; ".join(f"{node['html'][:200]} {node['failureSummary']}" for node in violation["nodes"][:3])
    return f"{violation['help']}: {nodes}"


def _keep_picture(page: Page, look: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{re.sub('[^a-z0-9]+', '-', look.lower())}.png", full_page=True)
