"""What is wrong with a page, as a browser and axe see it."""

from axe_playwright_python.sync_playwright import Axe


def problems(page):
    """What the console complained of, what axe finds, and a page wider than its screen."""
    page.wait_for_load_state()
    found = [f"{page.url}: {complaint}" for complaint in page.complaints]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{page.url} is wider than the screen")
    for violation in Axe().run(page).response["violations"]:
        found.append(f"{page.url}: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
    # axe itself writes styles into the page, which our policy blocks
    page.complaints.clear()
    return found
