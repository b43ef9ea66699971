import difflib
import os
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "WUYE_"
KIBIBYTE = 1024


#: What PostgreSQL's client library would read of the environment, past whatever address it is given.
LIBPQ: Final = frozenset(
    f"PG{name}"
    for name in (
        "APPNAME", "CHANNELBINDING", "CLIENTENCODING", "CONNECT_TIMEOUT", "DATABASE", "DATESTYLE", "GEQO", "GSSDELEGATION",
        "GSSENCMODE", "GSSLIB", "HOST", "HOSTADDR", "KRBSRVNAME", "LOADBALANCEHOSTS", "LOCALEDIR", "MAXPROTOCOLVERSION",
        "MINPROTOCOLVERSION", "OAUTHDEBUG", "OPTIONS", "PASSFILE", "PASSWORD", "PORT", "REALM", "REQUIREAUTH", "REQUIREPEER",
        "REQUIRESSL", "SERVICE", "SERVICEFILE", "SSLCERT", "SSLCERTMODE", "SSLCOMPRESSION", "SSLCRL", "SSLCRLDIR", "SSLKEY",
        "SSLKEYLOGFILE", "SSLMAXPROTOCOLVERSION", "SSLMINPROTOCOLVERSION", "SSLMODE", "SSLNEGOTIATION", "SSLROOTCERT", "SSLSNI",
        "SYSCONFDIR", "TARGETSESSIONATTRS", "TZ", "USER",
    )
)  # fmt: skip
_unheeded: set[str] = set()


class SettingsError(Exception):
    """The environment asks for something that cannot be; the message names the variable and says why."""


@cache
def shipped(name: str) -> Path:
    """Return the folder `name` (migrations, workflows) of the checkout, or its copy inside an installed wheel."""
    package = Path(__file__).parent
    checkout = package.parent.parent
    return checkout / name if (checkout / "pyproject.toml").is_file() else package / f"_{name}"


class Settings(BaseSettings):
    """Every knob of the program: set `WUYE_<NAME>` in the environment; nothing else configures it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str | None = Field(
        None,
        repr=False,  # it may hold a password
        description="PostgreSQL (15 to 18) to use, as postgresql://user:password@host/name. "
        "Unset: a server of our own is started under `data`, so that nothing needs to be installed.",
    )
    owner_url: str | None = Field(
        None,
        repr=False,
        description="The same database as the account that owns its tables: migrations alone go by it, and the account of "
        "`database_url` is given what it must do and no more. Unset: that one account does both, and could change the ledger.",
    )
    database_name: str = Field(
        "wuye",
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        description="Which database of our own server: `wuye_demo` is what the demonstration left. It must be there.",
    )
    data: Path = Field(
        Path("var"),
        description="Folder for what must outlive the process: the embedded server's files, keys, attachments.",
    )
    workflows: Annotated[tuple[Path, ...], NoDecode] = Field(
        default_factory=lambda: (shipped("workflows"),),
        description="Folders of workflow files, separated as in PATH; a later folder may add cities to an earlier one.",
    )
    default_workflow: str = Field(
        "kuiwen@2", description="Workflow, as name@version, of a grievance whose channel and area name no other."
    )
    workflow_by: str | None = Field(
        None,
        description="By which workflow a new grievance goes, by source, channel and area (with all below it): "
        "`channel=联合检查|巡查 -> name@2; area=370703 -> other@1`, the first that fits; or the path of a YAML file, a list "
        "of {source, channel, area, use}. What fits none goes by the default.",
    )
    pool_size: int = Field(
        10,
        ge=1,
        le=200,
        description="Database connections per process and colour (sync, async). Ten keep two cores busy; "
        "processes times this must stay under the server's max_connections (100).",
    )
    pool_timeout_seconds: float = Field(
        5.0, gt=0, description="How long a request waits for a free connection before it is told 503 and to try again."
    )
    statement_timeout_ms: int = Field(
        3000,
        ge=0,
        description="The longest one statement of a request may run: a costly search must not starve intake.",
    )
    lock_timeout_ms: int = Field(
        2000, ge=0, description="The longest wait for a row lock: past it the caller is told to try again."
    )
    body_limit: int = Field(
        256 * KIBIBYTE,
        ge=KIBIBYTE,
        description="Largest request body in bytes; a grievance is a page of text, not more.",
    )
    batch_body_limit: int = Field(
        8 * KIBIBYTE * KIBIBYTE, ge=KIBIBYTE, description="Largest body of a batch of up to 1,000 grievances, in bytes."
    )
    header_limit: int = Field(
        64 * KIBIBYTE, ge=KIBIBYTE, description="Largest head of a request, its line and all its headers, in bytes."
    )
    header_count: int = Field(100, ge=10, description="Most headers of one request; browsers send some twenty.")
    connections: int = Field(
        1000,
        ge=0,
        description="Most open connections. One more ends the one that has waited longest without asking anything.",
    )
    header_seconds: float = Field(10.0, ge=0, description="How long a request's head may take to arrive, in seconds.")
    body_seconds: float = Field(
        30.0, ge=0, description="How long its body may take, and a client that takes no answer."
    )
    idle_seconds: float = Field(
        30.0, ge=0, description="How long a connection may wait for its next request, in seconds."
    )
    rate_intake: float = Field(2000.0, ge=0, description="Grievances a second that one key may send; 0 is no bound.")
    rate_reads: float = Field(500.0, ge=0, description="Reads a second of one key.")
    rate_writes: float = Field(500.0, ge=0, description="Actions a second of one key.")
    rate_files: float = Field(20.0, ge=0, description="Uploads a second of one key.")
    rate_address: float = Field(200.0, ge=0, description="Requests a second without a valid key from one address.")
    rate_wrong_keys: float = Field(5.0, ge=0, description="Wrong keys a second from one address.")
    upload_pixels: int = Field(
        50_000_000, ge=1_000, description="Largest picture that is taken, in pixels; a telephone's best is 48 million."
    )
    upload_pages: int = Field(200, ge=1, description="Most pages of a PDF that is taken.")
    upload_seconds: int = Field(20, ge=1, description="Processor time that opening one file may take, in seconds.")
    upload_memory_mib: int = Field(
        1024,
        ge=128,
        description="Address space of the process that opens one file, in MiB; fifty million pixels need 700.",
    )
    upload_processes: int = Field(
        2, ge=1, le=64, description="How many files are opened at the same time, each by a process."
    )
    idempotency_days: int = Field(
        30,
        ge=1,
        description="How long a stored answer is replayed to a retry: hotlines send again in batches days later.",
    )
    sweep_seconds: float = Field(
        2.0, gt=0, description="Pause between two looks for due deadlines; an idle look costs 0.03 ms of the database."
    )
    clock_bound_seconds: float = Field(
        60.0,
        gt=0,
        description="How far this machine's clock may be from the database's. Beyond it nothing is taken in, no deadline is "
        "swept, and /readyz says no, until it is put right. A rehearsal's clock has no bound.",
    )
    router_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts, as name or name:port separated by commas, that `http` routers may ask. "
        "Empty: none. A workflow file alone must not be able to send anything anywhere.",
    )
    keys_file: Path | None = Field(
        None,
        description="The key ring that seals complainants' identities. Unset: keys.json under `data`. "
        "Back it up apart from the database: without it no identity can be read again.",
    )
    master_key: SecretStr | None = Field(
        None,
        description="Key that wraps the key ring, as 32 bytes in URL-safe base64. "
        "The ring is derived from it on every machine, and no file is written; `new,old` rotates. "
        "Unset: a random ring is made once and kept in the key ring file.",
    )
    anchors_file: Path | None = Field(
        None,
        description="Where anchors (signed heads of all ledgers) are appended, for `verify --anchors`. "
        "Unset: anchors.jsonl under `data`. Copy it where nobody who writes to the database can write.",
    )
    anchor_minutes: float = Field(60, ge=0, description="How often the worker makes an anchor; 0 is never.")
    crypto: Literal["aes", "sm"] = Field(
        "aes",
        description="Ciphers of what is sealed from now on: `aes` (AES-256-GCM, HMAC-SHA256) or `sm` (SM4-GCM, HMAC-SM3). "
        "Every value names its own, so what was sealed before still opens.",
    )
    pg_bin: Path | None = Field(
        None, description="Folder of PostgreSQL programs for the embedded server. Unset: a wheel's, then the system's."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least important line that is logged; one line per step is INFO."
    )
    rehearsal: bool = Field(
        default=False,
        description="演练: a clock that people may move, to see next week's deadlines today. Never on real grievances.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/\s]+$",
        description="Address under which people open the pages, as https://wuye.example. Unset: people sign in only on "
        "this machine, over loopback. QR codes and the check of a form's origin go by it.",
    )
    session_idle_minutes: int = Field(
        60,
        ge=1,
        description="A person who did nothing for so long has to sign in again; pages are left open over lunch.",
    )
    session_hours: int = Field(12, ge=1, description="A session ends after so many hours whatever was done in it.")
    totp_roles: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Roles, separated by commas, whose people must sign in with a second factor (TOTP)."
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^(https://[^\s?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s?#]*)?)$",
        description="The city's identity system, as its issuer's address: people may sign in through it (OpenID Connect, code "
        "flow with PKCE). Needs the extra `oidc`. Unset: passwords only.",
    )
    oidc_client_id: str | None = Field(None, description="By which name the identity system knows this program.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="The secret that goes with it. Unset: a public client, by PKCE alone."
    )
    oidc_people: Path | None = Field(
        None, description="YAML file that says which claims make which role, unit and area; see docs/operations.md."
    )
    oidc_scopes: str = Field(
        "openid profile", pattern=r"^openid( [\w:./-]+)*$", description="Which scopes are asked for."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; only this machine unless it is said otherwise.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (),
        description="Addresses or networks, separated by commas, of the proxies in front. Only their X-Forwarded-For is "
        "believed when a client's address is written down or limited. Empty: nobody's.",
    )

    reveals_per_day: int = Field(
        50,
        ge=0,
        description="How many identities one person may open a day, over all keys that name them as holder; "
        "beyond it a second person must allow more.",
    )
    reveal_alarm: int = Field(
        10,
        ge=1,
        description="So many identities opened by one person within `reveal_alarm_minutes` send a notice to the "
        "auditors' unit at once.",
    )
    reveal_alarm_minutes: int = Field(
        10, ge=1, le=1440, description="The while, in minutes, within which `reveal_alarm` openings are alarming."
    )
    reveal_reasons: Annotated[tuple[str, ...], NoDecode] = Field(
        ("回访", "电话回访", "上门核实", "需上门核实", "核对联系方式", "诉求人要求联系", "应急处置"),
        description="Reasons for opening an identity that may be given as they stand, separated by `|`. "
        "Any other takes at least ten characters.",
    )

    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port on which a `work` process, which has no other door, shows its metrics. Unset: none.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("router_hosts", "trusted_proxies", "totp_roles", mode="before")
    @classmethod
    def _split_by_commas(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("reveal_reasons", mode="before")
    @classmethod
    def _split_by_bars(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split("|") if part.strip()) if isinstance(value, str) else value

    @field_validator("workflows", mode="before")
    @classmethod
    def _split_like_path(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("database_url", "owner_url")
    @classmethod
    def _only_postgresql(cls, value: str | None) -> str | None:
        if not value:
            return None
        scheme, mark, rest = value.partition("://")
        if not mark or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError("must begin with postgresql:// (no other database is supported)")
        return f"postgresql+psycopg://{rest}"

    @field_validator("owner_url")
    @classmethod
    def _beside_the_other(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not info.data.get("database_url"):
            raise ValueError("must be set together with WUYE_DATABASE_URL: the embedded server has an owner of its own")
        return value

    @field_validator("oidc_people")
    @classmethod
    def _whole(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if (info.data.get("oidc_issuer") is None) != (value is None) or (value and not info.data.get("oidc_client_id")):
            raise ValueError("WUYE_OIDC_ISSUER, WUYE_OIDC_CLIENT_ID and WUYE_OIDC_PEOPLE are set together")
        return value

    @property
    def keys(self) -> Path:
        """The key ring's file."""
        return self.keys_file or self.data / "keys.json"

    @property
    def anchors(self) -> Path:
        """The file that anchors are appended to."""
        return self.anchors_file or self.data / "anchors.jsonl"


def unheed_libpq() -> list[str]:
    """Take libpq's own variables out of this process's environment; return the names of all that were ever taken.

    They would send the embedded server's connections elsewhere, and change what a given URL means without a word. Whoever
    opens a database does this first.
    """
    for name in LIBPQ & os.environ.keys():
        _unheeded.add(name)
        del os.environ[name]
    return sorted(_unheeded)


@cache
def load() -> Settings:
    """Read the environment, once per process; SettingsError in words when a variable is wrong or misspelt."""
    unheed_libpq()
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        # Only what looks like a slip of the pen: platforms put variables of their own beside ours.
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
            if near:
                raise SettingsError(
                    f"环境变量 {name} 无此设置，是否想写 {near[0]}？/ {name} is not a setting; did you mean {near[0]}?"
                )
    try:
        return Settings()
    except ValidationError as error:
        # The value itself is not repeated: it may be a password.
        lines = [f"{PREFIX}{'.'.join(map(str, e['loc']))}".upper() + f": {e['msg']}" for e in error.errors()]
        raise SettingsError("设置有误 / wrong settings:\n" + "\n".join(lines)) from None
