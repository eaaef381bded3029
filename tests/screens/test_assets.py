"""The files of the screens: kept for ever under an address that changes with them, and nothing else is served."""

from app.web.screens import asset
from tests.api.conftest import Centre


async def test_a_module_is_served_as_what_it_is_and_kept_for_ever(centre: Centre) -> None:
    reply = await centre.http.get(asset("web/assets/live.js"))

    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in reply.headers["cache-control"]


async def test_a_text_is_sent_small_to_whoever_can_read_it_so(centre: Centre) -> None:
    module = asset("web/assets/live.js")
    plain = await centre.http.get(module, headers={"Accept-Encoding": "identity"})
    small = await centre.http.get(module, headers={"Accept-Encoding": "gzip"})
    clip = await centre.http.get(asset("board/voices/chime.ogg"), headers={"Accept-Encoding": "gzip"})

    assert (small.headers["content-encoding"], small.text) == ("gzip", plain.text)
    assert int(small.headers["content-length"]) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == small.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in clip.headers


async def test_nothing_else_of_a_room_is_served(centre: Centre) -> None:
    for path in ("web/screens.py", "web/locales/ru.po", "board/../settings.py", "board/routes.py"):
        reply = await centre.http.get(asset(path))
        assert reply.status_code == 404, path
