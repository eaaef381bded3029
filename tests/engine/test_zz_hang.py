import asyncio, time
from tests.engine.hall import *
from tests.engine.test_readers import commits_held_up, readers_who_have_to_wait
from tests.engine.conftest import *
from tests.engine.proxy import *
async def test_stop_hangs(empty_database, clock):
    hall = LiveHall(Engine(open_journal(empty_database), clock, patience_seconds=0.3), OFFICE)
    await hall.engine.start(); await hall.open()
    async with commits_held_up(hall, empty_database):
        v = asyncio.create_task(hall.issue())
        await readers_who_have_to_wait(hall)
        t=time.time()
        stop = asyncio.create_task(hall.engine.stop())
        done,_ = await asyncio.wait([stop], timeout=8)
        print("stopped" if done else "STILL STOPPING after 8s", time.time()-t, v)
    await stop
    print(time.time()-t)
    try: await v
    except Exception as e: print(repr(e))
async def test_readers_during_outage(empty_database, clock):
    async with proxy_before(empty_database) as proxy, live_hall(proxy.address, clock, patience_seconds=0.3) as hall:
        await until_known(hall.open)
        proxy.go_down()
        v = asyncio.create_task(hall.issue())
        await asyncio.wait([v], timeout=3)
        print(v)
        r = asyncio.create_task(hall.now())
        done,_=await asyncio.wait([r], timeout=3)
        print("reader", "answered" if done else "HANGS")
        proxy.come_back()
        await r; await asyncio.wait([v])
        v.exception()
