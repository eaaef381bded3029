# Any Debian-like image with Python 3.11 or newer and its venv will do.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
RUN python3 -m venv /opt/venv
COPY requirements.lock /tmp/
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/requirements.lock \
    && /opt/venv/bin/pip uninstall --yes pip setuptools
COPY queue_core /opt/fifteen/queue_core
COPY migrations /opt/fifteen/migrations
COPY app /opt/fifteen/app
# Compiled here, since nothing can be written where it runs.
RUN python3 -m compileall -q /opt/fifteen

FROM ${BASE}
LABEL org.opencontainers.image.title="Fifteen" \
      org.opencontainers.image.description="An electronic queue for public offices"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/fifteen /opt/fifteen
RUN install -d -o 10001 -g 10001 /data
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/fifteen \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FIFTEEN_HOST=0.0.0.0 \
    FIFTEEN_PORT=8000 \
    FIFTEEN_DATABASE=/data/fifteen.db \
    FIFTEEN_EXAMPLE=false
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python3", "-c", \
    "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ['FIFTEEN_PORT']}/readyz\", timeout=2)"]
CMD ["python3", "-m", "app", "serve"]
