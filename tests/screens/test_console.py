"""The operator's console in a real browser: one key through a day, and nothing done twice."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.command_line.servers import LiveServer, serving
from tests.screens.conftest import PATIENCE_MS, picture, violations
from tests.screens.offices import Office

pytestmark = pytest.mark.needs("chromium")

expect.set_options(timeout=PATIENCE_MS)

BELLS = """
    window.bells = 0;
    const create = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function () { window.bells++; return create.call(this); };
"""
"""Counts the notes that the page has the browser play."""

TYPING = """() => {
    for (const code of ["Numpad4", "Numpad4", "Numpad3", "Digit4", "NumpadEnter"]) {
        const key = code === "NumpadEnter" ? "Enter" : code.at(-1);
        const pressed = new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true});
        document.activeElement.dispatchEvent(pressed);
    }
    return new Promise((done) => setTimeout(done, 400));
}"""
"""A number typed as quickly as people do, however slow the machine, and the time after which a digit counts again."""


HASTY = """() => {
    window.hasty = 0;
    const watch = new MutationObserver(() => {
        if (document.body.dataset.mode !== "called") return;
        watch.disconnect();
        window.hasty++;
        document.getElementById("main").click();
    });
    watch.observe(document.body, {attributes: true});
}"""
"""Presses the main key in the very moment in which somebody is called."""


@pytest.fixture
def office(hall: LiveServer) -> Office:
    """An office with its day open and nobody in it."""
    return Office(hall)


@pytest.fixture
async def anna(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser whose operator has typed her name before."""
    context = await operator_browser(browser, "Anna")
    yield context
    await context.close()


async def operator_browser(browser: Browser, name: str, **options: Any) -> BrowserContext:
    """A browser that remembers an operator's name, and counts what it plays."""
    context = await browser.new_context(viewport={"width": 1024, "height": 600}, **options)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(f"localStorage.setItem('fifteen.console.operator', '{name}');{BELLS}")
    return context


async def console(context: BrowserContext, office: Office, counter: str = "one", language: str = "en") -> Page:
    """The console of a counter, painted."""
    page = await context.new_page()
    await page.goto(f"{office.server.url}/console/{office.id}/{counter}?lang={language}")
    await page.wait_for_selector("body[data-mode]")
    return page


async def mode(page: Page, name: str) -> None:
    """Wait until the counter is in a mode and the main key may be pressed again."""
    await page.wait_for_selector(f"body[data-mode={name}] #main[aria-disabled=false]")


async def pressed(page: Page, key: str, then: str) -> None:
    """Press a key and wait for what comes of it."""
    await page.keyboard.press(key)
    await mode(page, then)


async def test_one_key_goes_through_a_whole_visit(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    page = await console(anna, office)

    await mode(page, "closed")
    await pressed(page, "F2", "free")
    await pressed(page, "F2", "called")
    await expect(page.locator("#number")).to_have_text("A001")
    await pressed(page, "F2", "serving")
    await pressed(page, "F2", "free")

    assert office.steps(ticket) == ["Issued", "Called", "Started", "Served"]
    assert office.counter()["operator"] == "Anna"


@pytest.mark.parametrize("key", ["F2", "Space", "Enter", "NumpadEnter", "NumpadAdd"])
async def test_each_main_key_calls(anna: BrowserContext, office: Office, key: str) -> None:
    office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")

    await pressed(page, key, "called")

    await expect(page.locator("#number")).to_have_text("A001")


async def test_a_double_press_calls_one_and_does_not_start(anna: BrowserContext, office: Office) -> None:
    first, second = office.issue(), office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")

    await page.locator("#main").dblclick()
    await page.keyboard.press("F2")
    await mode(page, "called")

    assert office.steps(first) == ["Issued", "Called"]
    assert office.steps(second) == ["Issued"]


async def test_enter_on_another_button_presses_that_one_alone(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    page = await console(anna, office)
    await mode(page, "called")

    await page.locator("#recall").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    await mode(page, "called")

    assert office.steps(ticket) == ["Issued", "Called", "Recalled"]


async def test_numbers_typed_in_the_wrong_window_do_nothing(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    page = await console(anna, office)
    await mode(page, "called")

    await page.evaluate(TYPING)
    # A digit of the pad on its own is meant, and comes after whatever the others could have led to.
    await page.keyboard.press("Numpad3")
    await expect(page.locator("#history")).to_contain_text("Called again")

    assert office.steps(ticket) == ["Issued", "Called", "Recalled"]


async def test_next_on_an_empty_line_calls_whoever_comes(anna: BrowserContext, office: Office) -> None:
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    await pressed(page, "F2", "armed")
    await expect(page.locator("#main")).to_contain_text("Whoever comes is called by itself")

    ticket = office.issue()

    await mode(page, "called")
    assert office.steps(ticket) == ["Issued", "Called"]
    assert await page.evaluate("window.bells") == 2


async def test_calling_by_itself_is_taken_back_with_escape_and_the_bell_still_rings(
    anna: BrowserContext, office: Office
) -> None:
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    await pressed(page, "F2", "armed")
    await pressed(page, "Escape", "free")

    ticket = office.issue()

    await expect(page.locator("#line li")).to_have_count(1)
    assert await page.evaluate("window.bells") == 2
    assert office.steps(ticket) == ["Issued"]


async def test_a_press_for_what_the_key_did_a_moment_ago_is_not_taken_for_a_start(
    anna: BrowserContext, office: Office
) -> None:
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    await pressed(page, "F2", "armed")
    await page.evaluate(HASTY)

    ticket = office.issue()

    await mode(page, "called")
    assert await page.evaluate("window.hasty") == 1
    assert office.steps(ticket) == ["Issued", "Called"]


async def test_a_muted_console_is_silent_and_stays_so(anna: BrowserContext, office: Office) -> None:
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")

    await page.locator("#mute").click()
    await page.reload()
    await mode(page, "free")
    office.issue()

    await expect(page.locator("#line li")).to_have_count(1)
    await expect(page.locator("#mute")).to_have_text("Sound is off")
    assert await page.evaluate("window.bells") == 0


async def test_a_step_is_taken_back_within_the_seconds_shown(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    await pressed(page, "F2", "called")
    await pressed(page, "F4", "free")
    await expect(page.locator("#undo .label")).to_have_text("Take back (59 s)")

    await pressed(page, "F9", "called")

    assert office.steps(ticket) == ["Issued", "Called", "Missed", "Undone"]
    assert office.counter()["visitor"]["number"] == "A001"


async def test_finishing_calls_the_next_only_where_that_is_wished(anna: BrowserContext, office: Office) -> None:
    first, second = office.issue(), office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_label("Finishing calls the next visitor at once").check()
    await page.keyboard.press("Escape")
    await pressed(page, "F2", "called")
    await pressed(page, "F2", "serving")
    await expect(page.locator("#main")).to_contain_text("Finish, call the next")

    await pressed(page, "F2", "called")
    await pressed(page, "F2", "serving")
    await page.keyboard.press("F6")
    await page.keyboard.press("1")
    await mode(page, "free")

    assert office.steps(first)[-1] == office.steps(second)[-1] == "Served"


async def test_a_day_by_keyboard_alone(anna: BrowserContext, office: Office) -> None:
    tickets = [office.issue() for _ in range(5)]
    page = await console(anna, office)
    await mode(page, "closed")
    await pressed(page, "F2", "free")

    await pressed(page, "F2", "called")
    await pressed(page, "F2", "serving")
    await page.keyboard.press("F6")
    await pressed(page, "2", "free")

    await pressed(page, "F2", "called")
    await page.keyboard.press("F7")
    await pressed(page, "2", "free")

    await pressed(page, "F2", "called")
    await page.keyboard.press("F7")
    await pressed(page, "3", "free")

    await pressed(page, "F2", "called")
    await page.keyboard.press("F8")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await pressed(page, "Enter", "free")

    await page.keyboard.press("F10")
    await pressed(page, "1", "paused")
    assert office.counter()["reason"] == "Lunch"
    await pressed(page, "F2", "free")
    await page.keyboard.press("F10")
    await pressed(page, "9", "closed")

    assert office.visit(tickets[0])["ticket"]["outcome"] == "incomplete"
    assert office.visit(tickets[1])["ticket"]["held_by"] == "office"
    assert office.visit(tickets[2])["ticket"]["held_by"] == "visitor"
    sent = office.visit(tickets[3])["ticket"]
    assert (sent["service"], sent["stops"]) == ("passport", [{"service": "advice", "counter": "one"}])


async def test_who_was_set_aside_is_listed_and_brought_back(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    office.post(f"/tickets/{ticket}/hold", {"by": "office"})
    page = await console(anna, office)
    await expect(page.locator("#held li")).to_contain_text("A001")

    await page.get_by_role("button", name="A001: bring back").press("Enter")

    await expect(page.locator("#line li")).to_contain_text("A001")
    await expect(page.locator("#held-part")).to_be_hidden()


async def test_who_may_still_come_is_listed_and_let_in(anna: BrowserContext, hall: LiveServer) -> None:
    office = Office(hall, late_seconds=600, no_show_seconds=0)
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    await pressed(page, "F2", "called")
    await pressed(page, "F4", "free")
    await expect(page.locator("#late li")).to_contain_text("A001")

    await page.get_by_role("button", name="A001: is here").press("Enter")

    await expect(page.locator("#line li")).to_contain_text("A001")
    await expect(page.locator("#late-part")).to_be_hidden()
    assert office.steps(ticket) == ["Issued", "Called", "Absent", "Readmitted"]


async def test_a_booking_that_was_found_puts_the_visitor_among_the_booked(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue(channel="booked", slot=datetime.now(UTC).isoformat())
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await expect(page.locator("#line li")).to_contain_text("Says: booked for")

    await page.get_by_role("button", name="A001: the booking was found").press("Enter")

    await expect(page.locator("#line .mark.booked")).to_have_text("Booked")
    assert office.steps(ticket) == ["Issued", "ClaimVerified"]


async def test_an_operator_leaves_another_counter_to_work_at_this_one(anna: BrowserContext, office: Office) -> None:
    office.post("/counters/two/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "closed")
    await page.keyboard.press("F2")
    await expect(page.locator("#problem")).to_contain_text("at work at another counter")

    await page.get_by_role("button", name="Leave the other counter").click()

    await mode(page, "free")
    assert (office.counter("one")["operator"], office.counter("two")["operator"]) == ("Anna", None)


async def test_a_right_that_does_not_hold_sends_the_visitor_back(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue(category="veteran")
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    page = await console(anna, office)

    await page.get_by_role("button", name="No such right").press("Enter")
    await page.keyboard.press("1")

    await mode(page, "free")
    assert office.steps(ticket) == ["Issued", "Called", "CategoryWithdrawn", "Returned"]


async def test_a_right_is_examined_at_the_counter(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue(category="veteran", language="ru")
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    page = await console(anna, office)
    await expect(page.locator("#category")).to_contain_text("Veterans. See: a certificate")
    await expect(page.locator("#marks")).to_contain_text("Speaks: Russian")

    await page.get_by_role("button", name="Seen").press("Enter")
    await expect(page.locator("#category")).to_contain_text("Veterans: the document was seen")
    await page.get_by_role("button", name="No such right").press("Enter")
    await page.get_by_label("Or stays at the counter, because").fill("nobody else waits")
    await page.locator("[data-withdraw]").first.click()
    await expect(page.locator("#category")).to_contain_text("Veterans: the right was found not to hold")

    assert office.steps(ticket)[2:] == ["CategoryVerified", "CategoryWithdrawn"]


async def test_the_operator_sees_why_this_one_was_next_and_what_happened_before(
    anna: BrowserContext, office: Office
) -> None:
    office.issue(category="veteran")
    office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")

    page = await console(anna, office)

    await expect(page.locator("#because")).to_contain_text("Goes out of turn by right")
    await expect(page.locator("#because li")).to_contain_text(["A001", "A002"])
    await expect(page.locator("#history li")).to_contain_text(["Took a ticket: Advice", "Called to One"])


async def test_the_line_is_what_this_counter_serves_with_the_nearest_limit_in_sight(
    anna: BrowserContext, office: Office
) -> None:
    office.issue("advice")
    office.issue("passport")
    page = await console(anna, office, "two")

    await expect(page.locator("#line li")).to_have_count(1)
    await expect(page.locator("#line li")).to_contain_text("A001")
    await expect(page.locator("#nearest")).to_contain_text("A001 reaches the limit in")
    await expect(page.locator("#nearest .countdown")).to_contain_text("14:")


async def test_a_call_that_no_board_confirms_is_told_to_the_operator(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    office.post("/counters/one/call-next")
    page = await console(anna, office)
    await expect(page.locator("#boards")).to_have_text("The call is on its way to the boards.")

    await expect(page.locator("#boards")).to_have_text("No board has shown this call. Call the visitor by voice.")

    office.post(f"/tickets/{ticket}/announced", {"board": "hall", "how": "shown"})
    await expect(page.locator("#boards")).to_have_text("A board has shown the call.")


async def test_two_consoles_of_one_counter_show_the_same_also_after_a_reload(
    anna: BrowserContext, office: Office
) -> None:
    office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    left, right = await console(anna, office), await console(anna, office)
    await mode(left, "free")
    await mode(right, "free")

    await left.keyboard.press("F2")
    await mode(right, "called")
    await pressed(right, "F2", "serving")
    await left.reload()

    await mode(left, "serving")
    await expect(left.locator("#number")).to_have_text("A001")


async def test_a_counter_of_another_operator_is_not_worked_at_by_mistake(anna: BrowserContext, office: Office) -> None:
    ticket = office.issue()
    office.post("/counters/one/open", {"operator": "Boris"})
    page = await console(anna, office)
    await expect(page.locator("#taken")).to_contain_text("Boris works at this counter")

    await page.keyboard.press("F2")
    await page.keyboard.press("NumpadEnter")
    await page.get_by_role("button", name="Close the counter for Boris").click()
    await mode(page, "closed")

    assert office.steps(ticket) == ["Issued"]
    assert office.counter()["operator"] is None


async def test_a_refusal_is_a_sentence_in_the_language_of_the_page(anna: BrowserContext, office: Office) -> None:
    office.issue()
    office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office, language="ru")
    await mode(page, "free")
    # The state does not reach this console any more, so it still offers what another one has done.
    await page.route("**/stream", lambda route: route.abort())
    await anna.set_offline(True)
    office.post("/counters/one/call-next")
    await anna.set_offline(False)

    await page.keyboard.press("F2")

    await expect(page.locator("#problem")).to_have_text("В окне ещё есть посетитель; сначала завершите его визит.")


async def test_a_counter_is_chosen_and_a_name_typed_once(visitor_browser: BrowserContext, office: Office) -> None:
    office.post("/counters/two/open", {"operator": "Boris"})
    page = await visitor_browser.new_page()
    await page.goto(f"{office.server.url}/console/{office.id}/one?lang=en")
    await page.wait_for_url(f"**/console/{office.id}?lang=en")
    await expect(page.locator("[data-counter=one]")).to_contain_text("Nobody works here")
    await expect(page.locator("[data-counter=two]")).to_contain_text("Taken by Boris")

    await page.locator("[data-counter=one]").click()
    await expect(page.locator("#nameless")).to_be_visible()
    await page.keyboard.type("Anna")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await mode(page, "closed")
    await pressed(page, "F2", "free")

    assert office.counter()["operator"] == "Anna"


@pytest.fixture
def mortal_hall(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of a test's own, which may be killed."""
    with serving(tmp_path, canary_seconds="0") as server:
        yield server


async def test_a_console_without_its_server_says_so_and_does_nothing_twice(
    anna: BrowserContext, mortal_hall: LiveServer
) -> None:
    office = Office(mortal_hall)
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")

    mortal_hall.kill()

    await expect(page.locator(".stale")).to_contain_text("The link to the server was lost at")
    await page.keyboard.press("F2")
    await expect(page.locator("#problem")).to_contain_text("The server gave no answer. Press again")


async def test_a_call_whose_answer_is_lost_calls_nobody_else(anna: BrowserContext, office: Office) -> None:
    first, second = office.issue(), office.issue()
    office.post("/counters/one/open", {"operator": "Anna"})
    page = await console(anna, office)
    await mode(page, "free")
    keys = []

    async def lose_the_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        await route.fetch()
        await route.abort()

    await page.route("**/call-next", lose_the_answer)
    await pressed(page, "F2", "called")

    assert len(keys) > 1
    assert len(set(keys)) == 1
    assert office.steps(first) == ["Issued", "Called"]
    assert office.steps(second) == ["Issued"]
    await expect(page.locator("#problem")).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_accessible_and_fit(browser: Browser, office: Office, language: str, scheme: Any) -> None:
    context = await operator_browser(browser, "Anna", color_scheme=scheme)
    office.post("/counters/one/open", {"operator": "Anna"})
    for _ in range(8):
        office.issue(category="veteran", language="en", further=["passport"])
    held = office.post("/counters/one/call-next")["id"]
    office.post(f"/tickets/{held}/hold", {"by": "office"})
    office.post("/counters/one/call-next")
    page = await console(context, office, language=language)
    await expect(page.locator("#story")).not_to_be_hidden()

    assert await violations(page) == []
    assert await bottom_of(page, "#transfer") <= 600
    assert await bottom_of(page, "#held li") <= 600
    name = f"console-{language}-{scheme}"
    await picture(page, f"{name}-1024")
    for key, panel in (("F7", "aside-panel"), ("F8", "transfer-panel")):
        await page.keyboard.press(key)
        await expect(page.locator(f"#{panel}")).to_be_visible()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
    for width, height in ((320, 640), (1920, 1080)):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await picture(page, f"{name}-{width}")
    await page.goto(f"{office.server.url}/console/{office.id}?lang={language}")
    await expect(page.locator("[data-counter=one]")).to_have_attribute("data-state", "mine")
    assert await violations(page) == []
    await picture(page, f"{name}-choose")
    await context.close()


async def bottom_of(page: Page, selector: str) -> float:
    """Where an element ends, from the top of the window."""
    box = await page.locator(selector).first.bounding_box()
    assert box
    return box["y"] + box["height"]
