"""What axe finds wrong in a page that is open in a browser, for people who see, hear or move otherwise."""

from playwright.async_api import Page

from tests.support.folders import TREE

_AXE = TREE / ".setup/axe/node_modules/axe-core/axe.min.js"
# Colours that fade in are looked at when they are there.
_STILL = "*, ::before, ::after { transition: none !important; animation: none !important; }"
_ADD_STYLE = """text => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}"""
_RUN = "() => axe.run({ resultTypes: ['violations'] })"


async def violations(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule: the rule, where, and what is wrong."""
    # As if typed by hand: a page's own policy lets neither styles nor scripts of others in.
    await page.evaluate(_ADD_STYLE, _STILL)
    await page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = await page.evaluate(_RUN)
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
