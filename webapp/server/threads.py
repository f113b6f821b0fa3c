"""A pool of threads that grows while some of them wait for slow readers."""

from concurrent.futures import ThreadPoolExecutor


class Threads(ThreadPoolExecutor):
    """Never lets a task wait while fewer than `size` threads have one."""

    @property
    def size(self) -> int:
        """At most so many threads have a task. Threads beyond it stay idle, perhaps with a database connection."""
        return self._max_workers

    @size.setter
    def size(self, threads: int) -> None:
        self._max_workers = threads

    def _adjust_thread_count(self) -> None:
        """Start a thread for the task that was just submitted, unless there are `size` threads.

        The standard pool starts none while it counts an idle thread. But a task may be submitted after another has ended and
        before its thread is counted: then that thread takes the task and is counted as idle while it works. The next task
        would wait for it, perhaps for as long as a slow reader.
        """
        while self._idle_semaphore.acquire(blocking=False):
            pass
        super()._adjust_thread_count()
