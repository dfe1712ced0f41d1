# One image for every process; compose.yaml says which it is.
FROM python:3.13-slim AS build
WORKDIR /srv/retention
RUN python -m venv /srv/venv
COPY requirements.txt .
RUN /srv/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY manage.py ./
COPY retention retention
COPY campaigns campaigns
COPY loyalty loyalty
COPY referrals referrals
COPY templates templates
COPY static static
# Settings must be complete to collect static files; none of these values is kept.
RUN SECRET_KEY=build DATABASE_URL=postgres://build/build REDIS_URL=redis://build/0 \
    /srv/venv/bin/python manage.py collectstatic --noinput -v0 && \
    /srv/venv/bin/python -m compileall -q retention campaigns loyalty referrals

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /srv/retention --shell /usr/sbin/nologin retention && \
    install -d -o retention -g retention /srv/media
COPY --from=build /srv/venv /srv/venv
COPY --from=build /srv/retention /srv/retention
WORKDIR /srv/retention
# A container names its servers; it must never start a database of its own because a name was forgotten.
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 EMBEDDED_SERVERS=off MEDIA_ROOT=/srv/media
USER retention
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "4", "--backpressure", "64", "--respawn-failed-workers", "--workers-max-rss", "512", \
     "--no-ws", "retention.wsgi:application"]
