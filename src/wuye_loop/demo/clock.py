"""The time of a play: it stands still until it is moved, and runs once the play is over."""

from datetime import datetime

from wuye_loop.ports import SettableClock


class PlayedClock:
    """A clock that jumps from act to act; after `run` it goes on like any other, from where it stood."""

    def __init__(self, start: datetime) -> None:
        self._clock = SettableClock(start)

    def now(self) -> datetime:
        """Return the instant of the play, aware, in UTC."""
        return self._clock.now()

    def set(self, instant: datetime) -> None:
        """Move to an instant that is not before the present one; ValueError otherwise: a play never goes back."""
        if instant < self.now():
            raise ValueError(f"the play is at {self.now().isoformat()} and cannot go back to {instant.isoformat()}")
        self._clock.set(instant)

    def run(self) -> SettableClock:
        """Let time pass from now on, and return the clock that runs: whoever moves it moves this one."""
        running = SettableClock()
        running.set(self.now())
        self._clock = running
        return running
