"""A client by Debian's python3-websockets: joins a group with each of several offers of permessage-deflate, sends long
and short messages to it, and requires that they come back. Usage: deflate_peer.py host:port"""
import asyncio
import json
import sys

from websockets.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Offer

OFFERS = [
    Offer(),
    Offer(client_max_window_bits=True),
    Offer(server_no_context_takeover=True, client_no_context_takeover=True),
    Offer(server_max_window_bits=9, client_max_window_bits=9),
    Offer(server_max_window_bits=15, client_max_window_bits=12),
]


async def converse(host, number, offer):
    async with connect(f'ws://{host}', extensions=[offer], compression=None) as client:
        assert [each.name for each in client.extensions] == ['permessage-deflate'], client.extensions
        group = f'python {number}'
        await client.send(json.dumps({'cmd': 'add_group', 'group_id': group}))
        for text in ['', 'short', 'long ' * 4000, 'long ' * 4000, 'perché no? ' * 100]:
            await client.send(json.dumps({'cmd': 'send_to_group', 'group_id': group, 'message': text}))
            received = await client.recv()
            assert received == text, (text[:20], received[:20])


async def main():
    for number, offer in enumerate(OFFERS):
        await converse(sys.argv[1], number, offer)


asyncio.run(main())
