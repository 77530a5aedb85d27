# One image for every process: the web server by default, the others by the commands in docker-compose.yml.

FROM python:3.11-slim AS build
# An index that serves the build of torch you want, for CPUs or for your CUDA. Without it pip takes its default index,
# whose build for Linux carries CUDA and several gigabytes.
ARG TORCH_INDEX_URL=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
# The pins alone: this layer is built again only when they change.
COPY pyproject.toml constraints.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --constraint constraints.txt \
        ${TORCH_INDEX_URL:+--extra-index-url "$TORCH_INDEX_URL"} torch \
    && /venv/bin/pip install --constraint constraints.txt .

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    HF_HUB_OFFLINE=1 \
    OMP_WAIT_POLICY=PASSIVE \
    EXPUNGE_DATA_DIR=/var/lib/expunge
# New volumes take over owner and mode of the folders they are mounted on.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin expunge \
    && install --directory --owner expunge --group expunge --mode 0700 \
        /var/lib/expunge /var/lib/expunge/artifacts /var/lib/expunge/guard /var/lib/expunge/log /keys /keys/ledger /keys/evidence
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Settings are only loaded to find the files: the secrets that DEBUG makes on the way do not enter the image.
RUN EXPUNGE_DEBUG=1 EXPUNGE_DATA_DIR=/tmp/collect python manage.py collectstatic --no-input \
    && mv /tmp/collect/static /var/lib/expunge/static \
    && chown --recursive expunge:expunge /var/lib/expunge/static \
    && rm --recursive /tmp/collect
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as request; \
host = os.environ['ALLOWED_HOSTS'].split(',')[0].strip().lstrip('.'); \
request.urlopen(request.Request('http://127.0.0.1:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "compliance.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", \
    "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
