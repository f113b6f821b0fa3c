"""A TLS proxy in front of PostgreSQL, like a pooler's: the tests' PostgreSQL binaries are built without OpenSSL."""

import asyncio
import ssl
import threading
from contextlib import contextmanager, suppress

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL's protocol, "Message Formats": length, then 80877103


@contextmanager
def tls_proxy(port, certificate):
    """Yield a port of 127.0.0.1 that forwards TLS clients, and only those, to PostgreSQL's port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(TlsProxy(port, context).serve, "127.0.0.1", 0))
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


class TlsProxy:
    def __init__(self, port, context):
        self.port = port
        self.context = context

    async def serve(self, reader, writer):
        """Serve one connection. It is no error if the client rejects the certificate and disconnects."""
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(self.context)
                database_reader, database_writer = await asyncio.open_connection("127.0.0.1", self.port)
                await asyncio.gather(forward(reader, database_writer), forward(database_reader, writer))
        writer.close()


async def forward(reader, writer):
    with suppress(OSError):
        while part := await reader.read(2**16):
            writer.write(part)
            await writer.drain()
    writer.close()
