"""Write pictures of every tab, at two widths, into docs/pictures: python -m tests.browser.pictures

Light on a desk, dark on a phone; WebP as the browser packs it, each within `MOST_BYTES`.
"""

from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from .visiting import NARROW, Visit, launched, served, tab_names

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 60_000
DESK = {"width": 1280, "height": 900}
PHONE_HEIGHT = 1500
PACK = """async ([png, quality]) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


def packed(browser: "Browser", png: bytes) -> bytes:
    """Return a picture as WebP of the best quality that is small enough."""
    page = browser.new_page()
    for quality in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        small = b64decode(page.evaluate(PACK, [b64encode(png).decode(), quality]))
        if len(small) <= MOST_BYTES:
            break
    else:
        raise SystemExit("a picture is too large at any quality")
    page.close()
    return small


def taken(browser: "Browser", address: str, tab: str, *, phone: bool) -> bytes:
    """Return a picture of a tab as PNG."""
    window = {**NARROW, "height": PHONE_HEIGHT} if phone else DESK
    page = browser.new_page(viewport=window, color_scheme="dark" if phone else "light")
    Visit(page=page, address=address).open(f"?tab={tab}")
    page.wait_for_timeout(500)
    png = page.screenshot()
    page.close()
    return png


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with served() as address, launched() as browser:
        for tab in tab_names():
            for place in ("desk", "phone"):
                png = taken(browser, address, tab, phone=place == "phone")
                (FOLDER / f"{tab}-{place}.webp").write_bytes(packed(browser, png))
