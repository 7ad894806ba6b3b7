"""A server by Debian's python3-websockets, for a Connector: prints its port, and echoes until its standard input ends.
Usage: connector_peer.py none|single|context|small-windows"""
import asyncio
import sys

from websockets.exceptions import ConnectionClosedError
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory as Deflate
from websockets.server import serve

EXTENSIONS = {
    'none': [],
    'single': [Deflate(server_no_context_takeover=True, client_no_context_takeover=True)],
    'context': [Deflate()],
    'small-windows': [Deflate(server_max_window_bits=9, client_max_window_bits=9)],
}


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except ConnectionClosedError as closed:
        assert closed.rcvd.code == 4001, closed


async def main():
    async with serve(echo, '127.0.0.1', 0, extensions=EXTENSIONS[sys.argv[1]], compression=None,
                     subprotocols=['chat.v1']) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
