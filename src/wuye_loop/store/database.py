import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import orjson
import psycopg
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.util import greenlet_spawn

from wuye_loop import metrics, postgres
from wuye_loop.domain.grievance.ledger import Chain
from wuye_loop.settings import Settings, shipped, unheed_libpq
from wuye_loop.store import protection
from wuye_loop.store import reach as fence
from wuye_loop.store.grievance import identity
from wuye_loop.store.instants import read_any
from wuye_loop.store.keys.keyring import Rings
from wuye_loop.store.keys.trusted import trusted
from wuye_loop.store.pipelined_cursor import AsyncOneTripCursor, OneTripCursor
from wuye_loop.store.reach import Reach, within
from wuye_loop.store.schema import present
from wuye_loop.store.turns import Turns

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")


class Write(Protocol):
    """Runs work in a transaction of its own: committed when it ends well, rolled back when it raises."""

    def __call__(self, work: Callable[[Session], T]) -> T:
        """Return what the work returned, after the commit."""


#: From which address one of a crowd comes: hundreds may come at once, and take turns at half of the connections, address
#: by address. None: of no crowd.
of_the_crowd: ContextVar[str | None] = ContextVar("of_the_crowd", default=None)
_TURN_SECONDS = 30.0  # that one of the crowd waits: a telephone that is refused sends its form again, at the back
#: Of a connection whose other end is gone without a word (a firewall forgot it, a machine lost its power): what waits there
#: fails within so many seconds, and milliseconds. The system's own bounds are a quarter of an hour and more.
_GONE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
_MIGRATING = 0x77757965  # "wuye": the advisory lock of whoever migrates


class UnfitDatabase(Exception):
    """The database cannot be trusted with a grievance; the message says what is wrong with it, in words."""


@asynccontextmanager
async def in_turn(turns: Turns, name: str) -> AsyncIterator[None]:
    """Have a turn, waited for as one of the crowd. Raises as where no connection is to be had."""
    try:
        async with asyncio.timeout(_TURN_SECONDS):
            await turns.take(name)
    except TimeoutError:
        raise NoConnection from None
    try:
        yield
    finally:
        turns.give()


@dataclass
class Database:
    """The way to one PostgreSQL: transactions for both colours of code, and the shape of its tables.

    Every transaction of the program begins and ends here. Isolation is READ COMMITTED (but for `read_at_once`); safety comes
    from row locks and unique constraints. Errors pass through as SQLAlchemy's: what they mean to a caller is decided at the edge.

    Connections are not tried before use (a round trip each time). When one turns out to be dead, SQLAlchemy throws the
    whole pool away, that one request fails (the edge answers 503 with Retry-After), and the next finds a fresh one.
    """

    url: str
    pool_size: int = 10
    pool_timeout_seconds: float = 5.0
    statement_timeout_ms: int = 3000
    lock_timeout_ms: int = 2000
    #: Of the account that owns the tables: migrations alone go by it; None: `url` does both.
    owner_url: str | None = field(default=None, repr=False)
    #: Gives the chain by which the register is kept; None where nothing is entered into it.
    chain: Callable[[], Chain] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Let the URL alone say which database is meant."""
        unheed_libpq()

    @property
    def conninfo(self) -> str:
        """The same database as a libpq URL, for programs that do not go through SQLAlchemy."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)

    @cached_property
    def engine(self) -> Engine:
        """The pool for plain functions: worker, sweep, commands."""
        engine = create_engine(self.url, **self._options(OneTripCursor))
        event.listen(engine, "connect", read_any)
        return engine

    @cached_property
    def async_engine(self) -> AsyncEngine:
        """The pool for HTTP endpoints; of one event loop, which must see `dispose_async` before it ends."""
        engine = create_async_engine(self.url, **self._options(AsyncOneTripCursor))
        event.listen(engine.sync_engine, "connect", read_any)
        return engine

    @cached_property
    def _readers(self) -> Engine:
        return self.engine.execution_options(postgresql_readonly=True)

    @cached_property
    def _async_readers(self) -> Engine:
        return self.async_engine.sync_engine.execution_options(postgresql_readonly=True)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Open a transaction: committed when the block ends well, rolled back when it raises or the commit does."""
        with self._begin(self.engine) as session:
            yield session

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Session]:
        with Session(engine, expire_on_commit=False, info={"chain": self.chain}) as session:
            yield session
            session.commit()

    def write(self, work: Callable[[Session], T]) -> T:
        """Run work in a transaction as `begin` does."""
        with self.begin() as session:
            return work(session)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that cannot write."""
        with _reading(self._readers) as session:
            yield session

    @contextmanager
    def read_at_once(self) -> Iterator[Session]:
        """Open one as `read` does, all of whose statements see the same moment, whatever others write meanwhile."""
        with _reading(self._readers.execution_options(isolation_level="REPEATABLE READ")) as session:
            yield session

    @contextmanager
    def read_within(self, reach: Reach | None) -> Iterator[Session]:
        """Open a transaction that can neither write nor see beyond a reach, where the fence stands."""
        with self.read() as session, self._confined(session, reach):
            yield session

    async def write_async(self, work: Callable[[Session], T]) -> T:
        """Run plain work in a transaction as `begin` does, from async code; one greenlet carries all of it."""
        async with self._turn():
            return await greenlet_spawn(self._write, work)

    async def writing_async(self, work: Callable[[Write], T]) -> T:
        """Run plain work that opens transactions of its own, one after another, from async code; in one greenlet."""
        async with self._turn():
            return await greenlet_spawn(work, self._write)

    def _write(self, work: Callable[[Session], T]) -> T:
        with self._begin(self.async_engine.sync_engine) as session:
            return work(session)

    async def read_async(self, work: Callable[[Session], T], reach: Reach | None = None) -> T:
        """Run plain reading in a transaction as `read_within` does, from async code."""
        async with self._turn():
            return await greenlet_spawn(self._read, work, reach)

    @cached_property
    def _turns(self) -> Turns:
        return Turns(max(1, self.pool_size // 2))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for one's turn: at once, but for one of a crowd, which leaves half of the connections to everybody else."""
        address = of_the_crowd.get()
        if address is None:
            yield
            return
        async with in_turn(self._turns, address):
            yield

    def _read(self, work: Callable[[Session], T], reach: Reach | None) -> T:
        with _reading(self._async_readers) as session, self._confined(session, reach):
            return work(session)

    def _confined(self, session: Session, reach: Reach | None) -> AbstractContextManager[None]:
        role = self.fenced if reach is not None else None
        return within(session, role, reach) if reach is not None and role is not None else nullcontext()

    @cached_property
    def fenced(self) -> str | None:
        """The program's account where the fence of readers stands, as it was found first; else None."""
        role = make_url(self.url).username
        if self.owner_url is None or role is None:
            return None
        with self._owner.connect() as connection:
            return role if fence.stands(connection, role) else None

    def migrate(self) -> None:
        """Bring the tables to the newest revision; processes that start together take turns."""
        at, head = self.current_revision(), self.head_revision()
        if at == head:
            return
        if at is not None and at not in _revisions():
            raise UnfitDatabase(
                f"数据库的版本 {at} 比本程序（{head}）新，请升级程序。"
                f"/ the database is at revision {at}, which this program (at {head}) does not know; upgrade the program."
            )
        # No pool and no time limits: a migration may take long, and its locks have a limit of their own.
        engine = self._owner
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as turn, engine.connect() as connection:
            turn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
            from alembic import command  # noqa: PLC0415 a database that is up to date does not wait for it

            command.upgrade(alembic_config(connection=connection), "head")

    def protect(self) -> None:
        """Let the program's account do with the tables what it must, and no more; nothing where it owns them itself."""
        role = make_url(self.url).username
        if self.owner_url is None or role is None or role == make_url(self.owner_url).username:
            return
        with self._owner.connect() as connection:
            if not protection.lacking(connection, role) and fence.stands(connection, role):
                return
        with self._owner.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            protection.grant(connection, role)
            if not fence.stands(connection, role):
                self._put_up(connection, role)
        self.__dict__.pop("fenced", None)

    @staticmethod
    def _put_up(connection: Connection, role: str) -> None:
        """Put up the fence of readers; an owner that may not make accounts leaves it, and `doctor` says so."""
        try:
            with connection.begin_nested():
                fence.put_up(connection, role)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != protection.REFUSED:
                raise

    def unprotected(self) -> bool:
        """Say whether the program's account does not hold yet what `protect` gives it."""
        role = make_url(self.url).username
        if self.owner_url is None or role is None:
            return False
        with self._owner.connect() as connection:
            return bool(protection.lacking(connection, role))

    @property
    def _owner(self) -> Engine:
        """What is for the owner of the tables, a connection at a time."""
        return create_engine(self.owner_url or self.url, poolclass=NullPool)

    def head_revision(self) -> str | None:
        """Return the newest revision this program knows."""
        return max(_revisions(), default=None)

    def current_revision(self) -> str | None:
        """Return the revision of the database; None when it is empty."""
        with self._owner.connect() as connection:
            if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found

    def lacking(self) -> list[str]:
        """Return in words what is missing of the tables that this program declares; they are at its revision."""
        with self._owner.connect() as connection:
            return present.lacking(connection)

    def check_tables(self) -> None:
        """Refuse, with UnfitDatabase, tables at the newest revision that have since lost a column or a key."""
        lacking = self.lacking()
        if lacking:
            raise UnfitDatabase(
                f"数据库的表被人改过，与本程序（{self.head_revision()}）要求的不符：{'；'.join(lacking)}。请从备份恢复，或把它们补回来。"
                "/ somebody changed the tables; restore them from a backup, or put back what is missing."
            )

    def check_durability(self) -> None:
        """Refuse, with UnfitDatabase, a server that may forget what it has acknowledged when it is killed."""
        wanted = {
            "fsync": {"on"},
            "full_page_writes": {"on"},
            "synchronous_commit": {"on", "remote_apply", "remote_write"},  # all three write their own disk first
        }
        with self.engine.connect() as connection:
            found = {name: str(connection.exec_driver_sql(f"SHOW {name}").scalar_one()) for name in wanted}
        unfit = ", ".join(f"{name}={value}" for name, value in found.items() if value not in wanted[name])
        if unfit:
            raise UnfitDatabase(
                f"数据库设置 {unfit}，断电可能丢失已受理的诉求，拒绝服务。"
                f"/ the server has {unfit}: it may lose grievances that were acknowledged; set to on."
            )

    def dispose(self) -> None:
        """Close the connections of plain functions."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    async def dispose_async(self) -> None:
        """Close the connections of async code; called on the loop they belong to."""
        if "async_engine" in self.__dict__:
            await self.async_engine.dispose()

    def _options(self, cursor: type[OneTripCursor | AsyncOneTripCursor]) -> dict[str, Any]:
        limits = {
            "statement_timeout": self.statement_timeout_ms,
            "lock_timeout": self.lock_timeout_ms,
            "idle_in_transaction_session_timeout": 60_000,  # a stuck process must not hold a grievance's lock for ever
            "timezone": "UTC",
            # As we read them, whatever an account or a database is set to.
            "client_encoding": "UTF8",
            "datestyle": "ISO",
            "bytea_output": "hex",
            "extra_float_digits": 1,
            # As on a server of our own. Others compile what costs much by their reckoning, and a sweep's statements do where
            # reading a table of one row whole is reckoned as forbidden (before PostgreSQL 18): a second for each batch.
            "jit": "off",
        }
        said = make_url(self.url).query
        return {
            "pool_size": self.pool_size,
            "max_overflow": 0,
            "pool_timeout": self.pool_timeout_seconds,
            "pool_use_lifo": True,  # the connection used last has its statements prepared and its caches warm
            "hide_parameters": True,  # an error's words go into the log, and parameters may be somebody's name
            "json_serializer": orjson.dumps,
            "json_deserializer": orjson.loads,
            "connect_args": {
                "application_name": "wuye-loop",
                "connect_timeout": 5,
                **{name: value for name, value in _GONE.items() if name not in said},
                "cursor_factory": cursor,
                "prepare_threshold": 2,  # from its third run on, a statement is not parsed and planned anew
                "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            },
        }


@contextmanager
def _reading(engine: Engine) -> Iterator[Session]:
    """Open a transaction in which nothing is written.

    It ends as one that writes does: at a rollback the driver forgets what it had prepared on that connection, and every
    statement of every transaction after it would be planned anew.
    """
    with Session(engine) as session:
        yield session
        session.commit()


@contextmanager
def open_database(
    settings: Settings, *, statement_timeout_ms: int | None = None, watched: bool = False
) -> Iterator[Database]:
    """Open the configured database, or our own server when none is, with its tables up to date.

    `statement_timeout_ms` replaces the limit meant for requests, for work that may take longer; 0 is none. A server of our
    own that is `watched` is started again when it dies. Raises UnfitDatabase or PostgresError, in words.
    """
    with server_urls(settings, watched=watched) as (url, owner_url):
        database = Database(
            url,
            owner_url=owner_url,
            pool_size=settings.pool_size,
            pool_timeout_seconds=settings.pool_timeout_seconds,
            statement_timeout_ms=settings.statement_timeout_ms
            if statement_timeout_ms is None
            else statement_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
        )
        try:
            database.check_durability()
            database.migrate()
            database.check_tables()
            database.protect()
            _ = database.fenced  # asked once, before anybody waits
            database.chain = _chain(settings, database)
            yield database
        finally:
            database.dispose()


def keys_of(settings: Settings, database: Database) -> Rings:
    """Return the installation's keys. Raises KeyRingBroken where they cannot open what is sealed in this database."""
    with database.read() as session:
        sealed = identity.sample(session)
    return trusted(settings, sealed)


def _chain(settings: Settings, database: Database) -> Callable[[], Chain]:
    """Return what gives the installation's chain: its keys are read, or made, when something is first entered."""
    rings = cache(lambda: keys_of(settings, database))
    return lambda: Chain(rings().ring.chain)


@contextmanager
def server_url(settings: Settings) -> Iterator[str]:
    """Give the URL of the owner of the tables, configured or of our own server, which runs as long as the block does."""
    with server_urls(settings) as (url, owner_url):
        yield owner_url or url


@contextmanager
def server_urls(settings: Settings, *, watched: bool = False) -> Iterator[tuple[str, str | None]]:
    """Give the configured URLs, or those of our own server: the program's account, and the owner of the tables.

    None for the owner: the one account does both.
    """
    if settings.database_url:
        yield settings.database_url, settings.owner_url
        return
    counted = metrics.embedded_restarts_total.inc if watched else None
    with postgres.running(settings.data, pg_bin=settings.pg_bin, watched=counted) as server:
        yield database_of(server.app_url, settings.database_name), database_of(server.url, settings.database_name)


def database_of(url: str, name: str) -> str:
    """Return the URL of another database on our own server. Raises UnfitDatabase where there is none of that name."""
    unheed_libpq()
    named = make_url(url)
    if named.database == name:
        return url
    plain = named.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            raise UnfitDatabase(f"这个数据目录里没有数据库 {name}（WUYE_DATABASE_NAME）")
    return named.set(database=name).render_as_string(hide_password=False)


@cache
def _revisions() -> frozenset[str]:
    """Return the migrations that came with the program, by the numbers that their files begin with: one follows the other."""
    return frozenset(file.name.split("_")[0] for file in (shipped("migrations") / "versions").glob("[0-9]*_*.py"))


def alembic_config(**attributes: object) -> "Config":
    """Return what Alembic needs to know; `connection` among the attributes is the one its migrations run on."""
    from alembic.config import Config  # noqa: PLC0415 as above

    config = Config()
    config.set_main_option("script_location", str(shipped("migrations")).replace("%", "%%"))
    config.attributes.update(attributes)
    return config
