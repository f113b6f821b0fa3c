"""The server's pool of threads."""

from threading import Event

from webapp.server.threads import Threads


def test_a_task_does_not_wait_for_a_thread_that_only_seems_idle():
    """The second task is submitted when the first has ended, but its thread has not said so yet."""
    pool, may_end, works, may_go_on = Threads(1), Event(), Event(), Event()

    def second():
        works.set()
        may_go_on.wait(20)

    pool.submit(may_end.wait).add_done_callback(lambda _: pool.submit(second))
    may_end.set()
    assert works.wait(5)
    pool.size += 1
    try:
        assert pool.submit(lambda: "done").result(timeout=5) == "done"
    finally:
        may_go_on.set()
        pool.shutdown()


def test_there_are_no_more_threads_than_the_size():
    with Threads(2) as pool:
        assert [task.result() for task in [pool.submit(int) for _ in range(20)]] == [0] * 20

        assert len(pool._threads) == 2
