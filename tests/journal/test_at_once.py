"""What stands beside the journal is written by two processes at one moment, and neither fails of it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from app.journal import Journal
from app.journal.remarks import keep_remark, remarks_of
from tests.journal.databases import opened
from tests.journal.test_remarks import MONDAY, said

MOMENTS = 30
PATIENCE_SECONDS = 60


def test_two_processes_of_one_machine_keep_the_time_and_a_remark_at_one_moment(empty_database: str) -> None:
    both = Barrier(2)

    def keep(journal: Journal, offset: float) -> list[bool]:
        kept: list[bool] = []
        for moment in range(MOMENTS):
            both.wait(PATIENCE_SECONDS)
            journal.keep_time(f"boot {moment}", offset)
            both.wait(PATIENCE_SECONDS)
            kept.append(keep_remark(journal, said(moment)))
        return kept

    with opened(empty_database) as here, opened(empty_database) as there, ThreadPoolExecutor(2) as threads:
        assert list(threads.map(keep, (here, there), (1.0, 2.0))) == [[True] * MOMENTS] * 2
        assert here.time_kept(f"boot {MOMENTS - 1}") in (1.0, 2.0)
        assert len(remarks_of(here, "hall", MONDAY, MOMENTS + 1)) == MOMENTS
