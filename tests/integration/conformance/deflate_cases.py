"""216 cases of permessage-deflate by Debian's python3-websockets: a server that sends each message back must do so with
every kind of data, size, fragment size and offer. They are those of sections 12 and 13 of the Autobahn test suite, with
data of our own, and fewer messages each. Usage: deflate_cases.py host:port messages"""
import asyncio
import json
import random
import sys
import zlib

from websockets.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

# Bytes of a message, and of its fragments; 0: one frame.
SIZES = [(size, 0) for size in (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)]
SIZES += [(size, 256) for size in (8192, 16384, 32768, 65536, 131072)]
SIZES += [(131072, fragment) for fragment in (1024, 4096, 32768)]

chance = random.Random(12)


def prose():
    words = 'Hügel und Fluss der die das Straße grün nicht Vogel schweigt im Wald'.split()
    lines = [' '.join(chance.choices(words, k=chance.randint(4, 9))) + chance.choice(',.!') for _ in range(8000)]
    return '\n'.join(lines).encode()


def picture():
    return bytes((x * y // 700 + chance.randrange(9)) % 256 for y in range(512) for x in range(512))


def document():
    parts = []
    for number in range(60):
        stream = zlib.compress(chance.randbytes(3000) + prose()[:2000])
        parts += [b'%d 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n' % (number, len(stream)), stream,
                  b'\nendstream\nendobj\n']
    return b''.join(parts)


def records():
    return json.dumps([{'id': number, 'price': chance.random(), 'name': f'item {chance.randrange(500)}'}
                       for number in range(3000)])


def page():
    rows = ''.join(f'<tr class="row"><td>{number}</td><td>{chance.random()}</td></tr>\n' for number in range(5000))
    return f'<!doctype html>\n<html><body><table>{rows}</table></body></html>\n'


def offer(no_context_takeover=False, window_bits=None):
    return ClientPerMessageDeflateFactory(
        server_no_context_takeover=no_context_takeover, server_max_window_bits=window_bits,
        client_no_context_takeover=True, client_max_window_bits=True)


def cases():
    for number, data in enumerate([prose(), picture(), document(), records(), page()], 1):
        for index, size in enumerate(SIZES, 1):
            yield f'12.{number}.{index}', data, size, [offer()]
    data = records()
    offers = [[offer()], [offer(True)], [offer(False, 8)], [offer(False, 15)], [offer(True, 8)], [offer(True, 15)],
              [offer(True, 8), offer(True), offer()]]
    for number, offered in enumerate(offers, 1):
        for index, size in enumerate(SIZES, 1):
            yield f'13.{number}.{index}', data, size, offered


def slices(data, size):
    """Endlessly, from the beginning again at the end."""
    twice = data + data
    at = 0
    while True:
        yield twice[at:at + size]
        at = (at + size) % len(data)


async def converse(host, data, size, offers, messages):
    length, fragment = size
    assert len(data) >= length
    async with connect(f'ws://{host}', extensions=offers, compression=None, max_size=None) as client:
        agreed, = client.extensions
        first = offers[0]
        assert agreed.remote_no_context_takeover or not first.server_no_context_takeover, agreed
        assert agreed.remote_max_window_bits == (first.server_max_window_bits or 15), agreed
        for _, message in zip(range(messages), slices(data, length)):
            step = fragment or length
            await client.send([message[at:at + step] for at in range(0, length, step)] if fragment else message)
            received = await client.recv()
            assert received == message, (message[:40], received[:40])
    assert client.close_code == 1000, client.close_code


async def main():
    host, messages = sys.argv[1], int(sys.argv[2])
    count = 0
    for name, data, size, offers in cases():
        try:
            await converse(host, data, size, offers, messages)
        except Exception as error:
            print(f'case {name}: {error!r}', file=sys.stderr)
            sys.exit(1)
        count += 1
    print(f'{count} cases')


asyncio.run(main())
