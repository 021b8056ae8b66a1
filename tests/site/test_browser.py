"""The screens in a real browser, in both languages, on a tablet and on a desk: one server, one story, real keys."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
TABLET, DESK = {"width": 1280, "height": 800}, {"width": 1920, "height": 1080}
OTHERS = ({"width": 1024, "height": 768}, {"width": 768, "height": 1024}, DESK)
HEADER_PX = 64
"""One line of the header, with the key of the menu in it; two lines are more."""
MM = 96 / 25.4
FLOOR_TARGET, OFFICE_TARGET = 20 * MM - 0.5, 10 * MM - 0.5
WEDGE_MS = 10
"""Between two keys of a scanner; measured ones take 7 to 16 ms. The keys bear these times, as a keyboard's do: how long
this machine takes to hand them over says nothing about the hand that typed."""
PATIENCE_MS = 30_000
"""A machine that does much else is slow, not wrong."""
expect.set_options(timeout=PATIENCE_MS)

CONTRAST = """() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest("svg, script, option, .unseen, .skip, details:not([open])") || !e.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${node.data.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that tells the demonstration's story."""
    folder = tmp_path_factory.mktemp("browser") / "demo"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CELLWRIGHT_SITE", "DJANGO_"))}
    environment |= {"CELLWRIGHT_PACE": "0.03", "CELLWRIGHT_LANGUAGE": "en"}
    command = [sys.executable, "-c", "from cellwright.cli import main; main()", "serve", str(folder), "--demo",
               "--patients", "2", "--port", str(port)]  # fmt: skip
    said = folder.parent / "server.txt"
    with said.open("w") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as server:
        address = f"http://localhost:{port}"
        try:
            _answers(address, server, said)
            yield address
        finally:
            server.terminate()
            assert server.wait(timeout=30) in (0, -15), said.read_text()


def _answers(address: str, server: "subprocess.Popen[bytes]", said: Path) -> None:
    while True:
        assert server.poll() is None, said.read_text()
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=20):
                return
        except urllib.error.HTTPError as broken:
            raise AssertionError(said.read_text()) from broken
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            server_ready = Path(f"/proc/{server.pid}")
            assert server_ready.exists() or os.name != "posix" or sys.platform == "darwin"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def errors() -> list[str]:
    """What a page complains of; a test that uses it ends with none."""
    return []


def opened(
    browser: Browser, locale: str, size: dict[str, int], errors: list[str], scheme: str = "light"
) -> BrowserContext:
    context = browser.new_context(viewport=size, locale=locale, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    return context


def sign_in(context: BrowserContext, site: str, person: str) -> Page:
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    press(page, page.locator(f"button[value={person}]"))
    expect(page).to_have_url(f"{site}/")
    return page


def wedge(page: Page, code: str) -> None:
    """A scanner types a code, wherever the focus is; the page takes it and goes on."""
    keyboard, began = page.context.new_cdp_session(page), time.time()
    with page.expect_navigation():
        for n, key in enumerate([*code, "Enter"]):
            said = {"key": key, "text": "\r" if key == "Enter" else key, "timestamp": began + n * WEDGE_MS / 1000}
            keyboard.send("Input.dispatchKeyEvent", {"type": "keyDown", **said})
            keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **said, "text": ""})


def press(page: Page, key: Locator) -> None:
    """Press a key whose form is sent, and wait for the page that answers: before that, nothing else is pressed."""
    with page.expect_navigation():
        key.click()


def sign_all(page: Page) -> None:
    """Everybody who is asked signs with the simulated key."""
    expect(page.locator(".signers")).to_be_visible()
    while "/sign/" in page.url:
        press(page, page.locator(".signer form button").first)


def benches(page: Page, site: str) -> list[str]:
    """The lots that wait at a bench, once the story is told."""
    page.goto(site)
    lines = page.locator("#lots + .list a.line")
    expect(page.locator(".telling")).to_have_count(0, timeout=2 * PATIENCE_MS)
    expect(lines).to_have_count(3)
    return sorted(str(line.get_attribute("href")) for line in lines.all())


def code(page: Page, what: str) -> str:
    return str(page.locator(f".label-key.{what}").first.get_attribute("data-code"))


def into_room(page: Page, site: str, step: str, second: str = "OP-02") -> None:
    page.goto(site + step)
    page.select_option("#room-second", second)
    press(page, page.locator("button[name=room]").first)


def test_a_story_goes_on_before_the_readers_eyes(browser: Browser, site: str, errors: list[str]) -> None:
    context = opened(browser, "en-GB", DESK, errors)
    page = sign_in(context, site, "QA-1")
    tile = page.locator(".tile").first
    expect(tile).to_be_visible(timeout=30_000)
    page.goto(site + str(tile.get_attribute("href")))
    here = page.url
    lines = page.locator(".story li")
    count = lines.count()
    page.evaluate("window.untouched = true")
    expect(lines.nth(count + 8)).to_be_attached()
    assert page.url == here and page.evaluate("window.untouched") is True, "the page was not loaded again"
    assert page.locator(".chart .bar").count() >= 1
    expect(page.locator(".tag.sim").first).to_contain_text("SIMULATED")
    assert not errors
    context.close()


def test_a_step_from_scan_to_signature_on_a_tablet(browser: Browser, site: str, errors: list[str]) -> None:
    context = opened(browser, "en-GB", TABLET, errors)
    page = sign_in(context, site, "OP-01")
    step = benches(page, site)[0]
    into_room(page, site, step)
    expect(page.locator("h1")).to_have_text("Sign what will be recorded")
    sign_all(page)
    expect(page.locator("h1")).to_have_text("Wash cells")
    wedge(page, code(page, "own"))
    expect(page.locator(".scan.good").first).to_contain_text("This patient's bag")
    wedge(page, code(page, "material"))
    expect(page.locator(".scan.good")).to_have_count(2)
    press(page, page.locator("form[action$='/reading'] button[name=value]"))
    expect(page.locator(".reading-card b.ok")).to_be_visible()
    press(page, page.locator("button[name=minutes][value='60']"))
    press(page, page.locator("form[action$='/complete'] button"))
    sign_all(page)
    expect(page.locator("h1")).to_have_text("Select T cells")
    page.goto(site + step.removesuffix("/step"))
    expect(page.locator("#signatures tbody tr", has_text="Operator 1 (simulated)").last).to_contain_text("performed")
    assert page.locator(".band .needle").count() >= 2
    assert not errors
    context.close()


@pytest.mark.requirement("R066")
def test_a_swap_is_refused_at_the_screen_in_chinese(browser: Browser, site: str, errors: list[str]) -> None:
    context = opened(browser, "zh-CN", TABLET, errors)
    page = sign_in(context, site, "OP-03")
    step = benches(page, site)[1]
    into_room(page, site, step)
    sign_all(page)
    expect(page.locator("h1")).to_have_text("洗涤细胞")
    wedge(page, code(page, "foreign"))
    expect(page).to_have_url(re.compile("/cases/"))
    expect(page.locator(".scan.bad")).to_contain_text("不属于该患者")
    expect(page.locator("h1")).to_have_text("已拦下。未记录任何使用。")
    page.select_option("#second", "OP-02")
    press(page, page.get_by_role("button", name="放置一旁"))
    sign_all(page)
    expect(page.locator(".scan.good")).to_contain_text("已放置一旁")
    page.goto(site + step)
    wedge(page, code(page, "own"))
    expect(page.locator(".scan.good").first).to_contain_text("该患者的袋")
    assert page.locator(".scan.good").count() == 1, "nothing of the other patient was recorded as used"
    assert not errors
    context.close()


def test_a_security_key_signs_what_is_recorded(browser: Browser, site: str, errors: list[str]) -> None:
    """The real path: a key made in the browser, recorded by a security officer, and an assertion over the decision."""
    context = opened(browser, "en-GB", TABLET, errors)
    page = sign_in(context, site, "OP-09")
    step = benches(page, site)[2]
    client = context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    client.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True,
                     "hasResidentKey": False, "automaticPresenceSimulation": True}},
    )  # fmt: skip
    page.goto(f"{site}/keys")
    press(page, page.locator("#register"))
    expect(page.get_by_text("waits for a security officer")).to_be_visible()
    officer = opened(browser, "en-GB", DESK, errors)
    people = sign_in(officer, site, "SEC-1")
    people.goto(f"{site}/people")
    press(people, people.locator("#person-OP-09").get_by_role("button", name="Record this key"))
    sign_all(people)
    expect(people.locator("#person-OP-09").get_by_role("button", name="Revoke")).to_be_visible()
    into_room(page, site, step)
    press(page, page.get_by_role("button", name="Sign with the security key"))
    expect(page.get_by_text("✓ signed")).to_be_visible()
    sign_all(page)
    expect(page.locator("h1")).to_have_text("Wash cells")
    page.goto(site + step.removesuffix("/step"))
    row = page.locator("#signatures tbody tr", has_text="Operator 9 (simulated)").last
    expect(row).to_contain_text("security key")
    expect(row.locator(".state.warn")).to_have_count(0)
    assert not errors
    officer.close()
    context.close()


def test_the_audit_trail_is_searched_and_the_language_changes_at_a_desk(
    browser: Browser, site: str, errors: list[str]
) -> None:
    context = opened(browser, "en-GB", DESK, errors)
    page = sign_in(context, site, "QA-1")
    page.get_by_role("link", name="Audit trail").click()
    page.fill("input[name=action]", "room.cleared")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("table.trail tbody tr").first).to_contain_text("Room cleared")
    page.get_by_role("link", name="Record", exact=False).first.click()
    assert "sort=record" in page.url
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("h1")).to_have_text("审计追踪")
    assert "action=room.cleared" in page.url, "the search is kept"
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("JSON")).click()
    assert '"schema": "cellwright.audit-trail.v1"' in Path(str(download.value.path())).read_text()
    page.goto(f"{site}/proof")
    page.locator("main form button").click()
    expect(page.locator("#verdict .state.ok")).to_be_visible(timeout=30_000)
    assert not errors
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_and_touched(browser: Browser, site: str, errors: list[str], scheme: str) -> None:
    context = opened(browser, "zh-CN" if scheme == "dark" else "en-GB", TABLET, errors, scheme)
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    assert page.evaluate(CONTRAST) == []
    press(page, page.locator("button[value=OP-01]"))
    step = benches(page, site)[0]
    story = str(page.locator(".tile").first.get_attribute("href"))
    for path, least in (("/", FLOOR_TARGET), (step, FLOOR_TARGET), (step.removesuffix("/step"), OFFICE_TARGET),
                        (step.removesuffix("step") + "release", OFFICE_TARGET),
                        (story, OFFICE_TARGET), ("/proof", OFFICE_TARGET)):  # fmt: skip
        page.goto(site + path)
        assert page.evaluate(CONTRAST) == [], path
        for key in page.locator("main .key:visible").all():
            box = key.bounding_box()
            assert box is not None and box["height"] >= least, f"{path}: {key.inner_text()} is {box}"
        for size in (TABLET, *OTHERS):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{path} is {wide} px wide at {size}"
            tall = page.evaluate("document.querySelector('header.patient').offsetHeight")
            assert tall <= HEADER_PX, f"{path}: the header wraps at {size}"
        page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    assert not errors
    context.close()
