"""What a client may send, and how long it may take. Limits that together make one promise are derived from each other."""

MAX_ID_LENGTH = 64  # characters of an advertiser's or product's id
MAX_IDS = 100  # ids in one parameter or member
MAX_BYTES = 64 * 1024  # of a body: two members of MAX_IDS ids of four-byte characters take 51 KB

# The longest URL excludes MAX_IDS ids, each percent-encoded: three bytes for each of a character's four.
MAX_ENCODED_ID = MAX_ID_LENGTH * 4 * 3
MAX_REQUEST_LINE = MAX_ENCODED_ID + MAX_IDS * (len("&exclude=") + MAX_ENCODED_ID) + 512

# Characters of a path: two ids and names. Matching a path with several ids to a route takes time by its length squared.
MAX_PATH = 2 * MAX_ID_LENGTH * 3 + 256  # the admin writes "_2F" for some characters of an id

MAX_HEAD_BYTES = MAX_REQUEST_LINE + 32 * 1024  # of a request line and all header fields

MAX_CHUNKED_BYTES = 4 * MAX_BYTES  # of a chunked body with its framing, which is longer than the smallest chunks
MAX_CHUNK_LINE = 4096

# Seconds. gunicorn's `keepalive` is how long a connection may be idle before the first byte of a request.
REQUEST_DEADLINE = 15  # from the first byte of a request to its last
STALL_DEADLINE = 30  # for a client to read anything of a response
RESPONSE_DEADLINE = 600  # for a client to read all of it
PATIENCE = 0.1  # how long a thread waits for a reader, in all, before it gives up its place
LINGER = 2  # how long a connection that we close is read, so that the client gets the end of the response

MAX_SLOW_READERS = 16  # threads that may wait for slow readers, beyond a worker's `threads`
DRAINED = 256 * 1024  # bytes that are read from a connection that we close
MAX_CLOSING = 64  # connections that we are closing

LOGINS_PER_ADDRESS = 20  # attempts a minute; checking a password takes 0.2 seconds of CPU

# What a request counts as in the rate limits, if it costs much more than a list (4 milliseconds).
RANKING_WEIGHT = 50  # ranks all of an advertiser's products: up to a second of PostgreSQL's CPU for 100,000
STATISTICS_WEIGHT = 50  # compares all lists of two days: 0.4 seconds of PostgreSQL's CPU for 5,000 advertisers
SNAPSHOT_WEIGHT = 50  # sends all lists of a day: a second of the web server's CPU for 1,000 advertisers
SCHEMA_WEIGHT = 20  # generates the schema, for anybody: 0.1 seconds
