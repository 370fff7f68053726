# One image for hosts with and without a GPU: PyTorch's CUDA build runs on the CPU too.
FROM python:3.11-slim AS build

WORKDIR /app
RUN python3 -m venv /opt/runyard
# The packages first: they change less often than the code, and are 6 GB
COPY pyproject.toml constraints.txt README.md ./
RUN /opt/runyard/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .


FROM python:3.11-slim

COPY --from=build /opt/runyard /opt/runyard
WORKDIR /app
COPY app app
COPY trainer trainer
COPY templates templates
COPY static static
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin runyard \
    && install -d -o runyard -g runyard -m 0700 /data

ENV PATH=/opt/runyard/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    RUNYARD_HOME=/data \
    RUNYARD_HOST=0.0.0.0 \
    RUNYARD_PORT=8000
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Beyond loopback a token is required: the first start prints it, with a link that logs a browser in
CMD ["runyard", "serve"]
