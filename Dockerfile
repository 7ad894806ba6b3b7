# The server as a container, from Debian's package of it. docs/deploy.md describes how to run it.
FROM debian:12-slim AS build
COPY . /src
RUN /src/dev package

FROM debian:12-slim
COPY --from=build /src/build/package/stormo_*.deb /tmp/
# A fixed number, so that volumes keep their owner and a cluster sees that it is not root.
RUN groupadd --system --gid 990 stormo \
    && useradd --system --uid 990 --gid stormo --home-dir /nonexistent --shell /usr/sbin/nologin stormo \
    && apt-get update \
    && apt-get install -y --no-install-recommends /tmp/stormo_*.deb \
    && rm -rf /tmp/stormo_*.deb /var/lib/apt/lists/* \
    && install -d -m 711 -o stormo -g stormo /var/lib/stormo
ENV STORMO_RUNTIME_DIR=/var/lib/stormo STORMO_LISTEN=websocket://0.0.0.0:1234
USER 990:990
VOLUME /var/lib/stormo
EXPOSE 1234
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["stormo", "status"]
ENTRYPOINT ["stormo"]
CMD ["start"]
