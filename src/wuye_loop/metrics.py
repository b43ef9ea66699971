"""What the program counts; `/metrics` shows it in Prometheus' text form. No label carries anything of a grievance."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

steps_total = Counter("wuye_steps", "Steps taken, by action.", ["action"], registry=REGISTRY)
intake_total = Counter(
    "wuye_intake", "Grievances received, by result: new, replayed, refused.", ["result"], registry=REGISTRY
)
sweep_fired_total = Counter(
    "wuye_sweep_fired", "Rungs that the deadline sweep fired, by clock.", ["clock"], registry=REGISTRY
)
sweep_lag_seconds = Gauge("wuye_sweep_lag_seconds", "Age of the oldest due rung not yet fired.", registry=REGISTRY)
reveals_total = Counter(
    "wuye_reveals",
    "Identities asked for by who may open them, by result: shown, refused.",
    ["result"],
    registry=REGISTRY,
)
reveal_alarms_total = Counter(
    "wuye_reveal_alarms", "Alarms that somebody opened many identities in a short while.", registry=REGISTRY
)
clock_skew_seconds = Gauge(
    "wuye_clock_skew_seconds", "How far this machine's clock is ahead of the database's.", registry=REGISTRY
)
damaged_records_total = Counter(
    "wuye_damaged_records", "Damaged records met, by where: each was passed over or shown as damaged.", ["where"],
    registry=REGISTRY,
)  # fmt: skip
embedded_restarts_total = Counter(
    "wuye_embedded_restarts", "Times that the embedded server had died and was started again.", registry=REGISTRY
)
http_requests_total = Counter(
    "wuye_http_requests", "HTTP requests, by route template.", ["method", "route", "status"], registry=REGISTRY
)
http_request_seconds = Histogram(
    "wuye_http_request_seconds",
    "Time from the first byte of a request to the last of its answer.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
connections_open = Gauge("wuye_connections_open", "HTTP connections now open.", registry=REGISTRY)
connections_closed_total = Counter(
    "wuye_connections_closed",
    "Connections that the server ended, by reason: full, head, body, idle, leaving, unread, large, pipelined, malformed.",
    ["reason"],
    registry=REGISTRY,
)
rate_limited_total = Counter(
    "wuye_rate_limited",
    "Requests answered 429, by kind: intake, reads, writes, files, address, wrong_keys.",
    ["kind"],
    registry=REGISTRY,
)


def render() -> bytes:
    """Return all of it as Prometheus text, of type CONTENT_TYPE."""
    return generate_latest(REGISTRY)
