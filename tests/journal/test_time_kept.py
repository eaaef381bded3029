"""How the hall's time stands to a machine's seconds, kept by every process of the machine."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

from tests.engine.test_unknown_commits import blocked
from tests.journal.databases import empty_database, opened, reused_database

__all__ = ["empty_database", "reused_database"]


def test_two_processes_of_one_machine_may_keep_it_at_once(empty_database: str) -> None:
    with opened(empty_database) as first, opened(empty_database) as second, ThreadPoolExecutor(1) as beside:
        with first.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO stamps (name, value) VALUES ('time in boot this', '1.0')")
            keeping = beside.submit(second.keep_time, "this", 2.0)
            while not blocked(connection) and not keeping.done():
                sleep(0.01)
        keeping.result()

        assert first.time_kept("this") == 2.0
