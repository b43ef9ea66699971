# Build: everything at the versions and hashes of the lock, then the project itself, without asking the network again.
FROM python:3.12-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/wuye-loop
COPY requirements.lock ./
RUN /opt/wuye-loop/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md ./
COPY src src
COPY migrations migrations
COPY workflows workflows
RUN /opt/wuye-loop/bin/pip install --quiet --no-deps --no-build-isolation . \
    && /opt/wuye-loop/bin/pip uninstall --quiet --yes editables hatchling hypothesis import-linter mypy pytest ruff

# Run: as a user of its own, which owns the data volume and nothing else.
FROM python:3.12-slim
RUN useradd --system --create-home --home-dir /srv/wuye --shell /usr/sbin/nologin wuye \
    && install --directory --owner wuye --group wuye /srv/wuye/var
COPY --from=build /opt/wuye-loop /opt/wuye-loop
ENV PATH=/opt/wuye-loop/bin:$PATH WUYE_DATA=/srv/wuye/var
USER wuye
WORKDIR /srv/wuye
VOLUME /srv/wuye/var
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["wuye-loop", "up", "--host", "0.0.0.0"]
