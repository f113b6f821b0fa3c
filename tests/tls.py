"""TLS before a PostgreSQL, as a pooler or a cloud's proxy ends it: the binaries that the tests bring have no OpenSSL."""

import asyncio
import ssl
import threading
from contextlib import contextmanager, suppress

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL's protocol, "Message Formats": length, then 80877103


@contextmanager
def tls_before(port, certificate):
    """A port of 127.0.0.1 that leads to PostgreSQL's, for clients that ask for TLS and no others."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(Door(port, context).open, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for connection in asyncio.all_tasks(loop):
            connection.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class Door:
    def __init__(self, port, context):
        self.port = port
        self.context = context

    async def open(self, reader, writer):
        """Serve one connection; a client that turns away at the sight of the certificate is none of our errors."""
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self.context)
                inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))
        writer.close()


async def pass_on(reader, writer):
    with suppress(OSError):
        while part := await reader.read(2**16):
            writer.write(part)
            await writer.drain()
    writer.close()
