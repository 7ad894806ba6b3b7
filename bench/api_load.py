#!/usr/bin/env python3
"""Loads the HTTP API of a running instance, and prints rates and latencies.

    bench/api_load.py http://127.0.0.1:8100 "$(cat api.key)" --connections 4 --batch 100 --seconds 5

Each connection is kept open, and has one request on its way. With --batch 1 the requests are
/v1/publish, else /v1/batch. A message has 100 bytes.
"""
import argparse
import json
import multiprocessing
import socket
import time
import urllib.parse


def connection(address, key, batch, seconds, results):
    message = {"cmd": "publish", "group": "load", "message": "x" * 100}
    if batch == 1:
        path, body = "/v1/publish", {k: v for k, v in message.items() if k != "cmd"}
    else:
        path, body = "/v1/batch", {"commands": [message] * batch}
    text = json.dumps(body)
    request = (f"POST {path} HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {key}\r\n"
               f"Content-Length: {len(text)}\r\n\r\n{text}").encode()
    peer = socket.create_connection(address)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    latencies = []
    end = time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        peer.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += peer.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"refused: {head[:40]!r} {rest[:200]!r}")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(rest) < length:
            rest += peer.recv(65536)
        latencies.append(time.monotonic() - start)
    results.put(latencies)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("url")
    options.add_argument("key")
    options.add_argument("--connections", type=int, default=4)
    options.add_argument("--batch", type=int, default=1)
    options.add_argument("--seconds", type=float, default=5)
    given = options.parse_args()
    url = urllib.parse.urlparse(given.url)
    results = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=connection, args=((url.hostname, url.port), given.key,
                                                                given.batch, given.seconds, results))
               for _ in range(given.connections)]
    for worker in workers:
        worker.start()
    latencies = sorted(sum((results.get() for _ in workers), []))
    for worker in workers:
        worker.join()
    count = len(latencies)
    print(f"{count * given.batch / given.seconds:.0f} publishes/s, {count / given.seconds:.0f} "
          f"requests/s, p50 {latencies[count // 2] * 1e3:.2f} ms, "
          f"p99 {latencies[count * 99 // 100] * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
