"""A receiver for resup in one file (docs/guide/src/server.md), for Python 3.9 or later. README.md says how to run it.

`application` is a WSGI application. It sees a request when its body is complete, so clients send segments. Several
threads and processes may run it: all they share is the directory RESUP_DATA.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import sqlite3
import sys
import time
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

DATA = os.environ.get("RESUP_DATA", "uploads")
MAX_SEGMENT = 8 << 20
MAX_BODY = MAX_SEGMENT + (1 << 20)
MAX_HEADER = 16 << 10
# The largest file that comes in one request without a locate.
SMALL = 256 << 10
# The digests that a client can use here.
DIGESTS = ("sha256", "md5")
# The fields that mean something here. The program's own ones are passed over.
FIELDS = {"action", "user", "name", "size", "mtime", "dir", "md5", "sha256", "digests", "digest", "id", "offset",
          "length", "file"}

for place in ("", "partial", "files", "locks"):
    os.makedirs(os.path.join(DATA, place), mode=0o700, exist_ok=True)


class Refusal(Exception):
    """The refusal of a request: its status, its message and further members of the JSON."""

    def __init__(self, status, message, **members):
        super().__init__(message)
        self.status, self.members = status, {**members, "message": message}


def open_database():
    db = sqlite3.connect(os.path.join(DATA, "uploads.db"), timeout=10, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = FULL")
    return db


def make_table():
    db = open_database()
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, owner TEXT, dir TEXT, name TEXT,"
               " size INTEGER, mtime TEXT, md5 TEXT, complete INTEGER)")
    if "sha256" not in [column["name"] for column in db.execute("PRAGMA table_info(uploads)")]:  # an older version's
        db.execute("ALTER TABLE uploads ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''")
    db.execute("COMMIT")
    db.close()


make_table()


def paths_of(row):
    """Returns where the file is until it is finished, and where from then on: it moves before the row says so."""
    # The id is the receiver's own. No path is made of a name.
    return [os.path.join(DATA, place, row["id"]) for place in ("partial", "files")]


def path_of(row):
    partial, final = paths_of(row)
    return final if os.path.exists(final) else partial


def status_of(row, agreed):
    """Returns the members that tell what the receiver has. The bytes are durable before they are told."""
    # Without a file there is nothing yet; or it was finished, and somebody has taken it away.
    offset = row["size"] if row["complete"] else 0
    for path in paths_of(row):
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            os.fsync(file.fileno())
            offset = os.fstat(file.fileno()).st_size
            break
    state = "complete" if row["complete"] else "partial" if offset else "new"
    # A client of version 1.0 agrees on no digest, and gets nothing else.
    newer = {"digest": agreed, "small": SMALL} if agreed else {}
    return {"state": state, "offset": offset, "id": row["id"], "max_segment": MAX_SEGMENT, **newer}


class Lock:
    """The lock of an upload, for threads and processes. It ends with the process, too."""

    def __init__(self, id):
        self.file = open(os.path.join(DATA, "locks", id), "w")

    def __enter__(self):
        for _ in range(40):
            try:
                return fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
        self.file.close()
        raise Refusal(423, "another client is writing this upload")

    def __exit__(self, *_):
        self.file.close()


def field(form, name, pattern=r"(?s).*", default=None):
    value = form.get(name, default)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise Refusal(400, f"field '{name}' is missing, or cannot be what it is")
    return value


def number(form, name):
    return int(field(form, name, "[0-9]{1,18}"))


def is_name(text):
    return text not in ("", ".", "..") and "/" not in text and "\0" not in text


def digests_of(form):
    """Returns the digests of the whole file that a form has. Those that are missing are empty."""
    lengths = {"md5": 32, "sha256": 64}
    return {name: field(form, name, f"([0-9a-fA-F]{{{lengths[name]}}})?", "").lower() for name in DIGESTS}


def agreed_digest(form):
    """Returns the digest that a send or a store names; empty with a client of version 1.0."""
    return field(form, "digest", f"({'|'.join(DIGESTS)})?", "")


def key_of(owner, form, agreed):
    """Returns what makes a file the same file."""
    name, dir = field(form, "name"), field(form, "dir", default="")
    if not is_name(name) or dir and not all(map(is_name, dir.split("/"))):
        raise Refusal(400, "'name' or 'dir' cannot be one")
    key = {"owner": owner, "dir": dir, "name": name, "size": number(form, "size"),
           "mtime": field(form, "mtime", "(-?[0-9]{1,18})?", ""), **digests_of(form)}
    key["mtime"] = key["mtime"] and str(int(key["mtime"]))
    return key if agreed else {**key, "sha256": ""}


def find_file(db, key):
    """Finds the upload of a file. A digest that both have decides, else the time. Without a time, digests of different
    kinds tell nothing."""
    return db.execute(
        "SELECT *, (md5 <> '' AND md5 = :md5 OR sha256 <> '' AND sha256 = :sha256) AS known FROM uploads"
        " WHERE owner = :owner AND dir = :dir AND name = :name AND size = :size"
        " AND (:md5 = '' OR md5 IN ('', :md5)) AND (:sha256 = '' OR sha256 IN ('', :sha256))"
        " AND (known OR mtime = :mtime AND (mtime <> '' OR md5 || sha256 = '' OR :md5 || :sha256 = ''))"
        " ORDER BY known DESC, :md5 || :sha256 <> '' AND complete DESC, rowid DESC", key).fetchone()


def find_or_make(db, key):
    db.execute("BEGIN IMMEDIATE")
    row = find_file(db, key)
    if row is None:
        db.execute("INSERT INTO uploads (id, owner, dir, name, size, mtime, md5, sha256, complete)"
                   " VALUES (:id, :owner, :dir, :name, :size, :mtime, :md5, :sha256, 0)",
                   {**key, "id": uuid.uuid4().hex})
        row = find_file(db, key)
    elif not row["complete"]:
        # A client may know a digest only when it asks again.
        db.execute("UPDATE uploads SET md5 = ?, sha256 = ? WHERE id = ?",
                   (row["md5"] or key["md5"], row["sha256"] or key["sha256"], row["id"]))
    db.execute("COMMIT")
    return row["id"]


def locate(db, owner, form):
    usable = [name for name in field(form, "digests", default="").split(",") if name in DIGESTS]
    agreed = usable[0] if usable else ""
    id = find_or_make(db, key_of(owner, form, agreed))
    return status_of(find_upload(db, owner, id), agreed)


def find_upload(db, owner, id):
    row = db.execute("SELECT * FROM uploads WHERE owner = ? AND id = ?", (owner, id)).fetchone()
    if row is None:
        raise Refusal(404, "no upload has this id")
    return row


def send(db, owner, form):
    offset, length, size = number(form, "offset"), number(form, "length"), number(form, "size")
    bytes, digests, agreed = form.get("file"), digests_of(form), agreed_digest(form)
    id = find_upload(db, owner, field(form, "id"))["id"]
    with Lock(id):
        row = find_upload(db, owner, id)
        status = status_of(row, agreed)
        if size != row["size"] or offset + length > size or field(form, "name") != row["name"]:
            raise Refusal(400, "the fields do not go with the upload")
        if length > MAX_SEGMENT:
            raise Refusal(413, "one send carries less", max_segment=MAX_SEGMENT)
        if row["complete"]:
            return status
        if offset != status["offset"]:
            raise Refusal(409, "the upload stands elsewhere", **status)
        if not isinstance(bytes, type(b"")) or len(bytes) != length:
            raise Refusal(400, "the part 'file' has not the bytes that 'length' says")
        append(path_of(row), bytes)
        # Without its digest a file is not complete.
        if offset + length == size and digests[agreed or "md5"]:
            finish(db, row, digests, agreed)
        return status_of(find_upload(db, owner, id), agreed)


def store(db, owner, form):
    """Takes a small file in one request."""
    bytes, agreed, size = form.get("file"), agreed_digest(form), number(form, "size")
    if not digests_of(form).get(agreed):
        raise Refusal(400, "a store needs the field 'digest', and that digest of the whole file")
    if size > SMALL:
        raise Refusal(413, f"a file of more than {SMALL} bytes comes by send")
    key = key_of(owner, form, agreed)
    row = find_file(db, key)
    status = row and status_of(row, agreed)
    if status and status["state"] != "new":
        return status
    # Nothing is kept of a store that is wrong, not even that there is such a file.
    if not isinstance(bytes, type(b"")) or len(bytes) != size:
        raise Refusal(400, "the part 'file' has not the bytes that 'size' says")
    if any(key[name] not in ("", hashlib.new(name, bytes).hexdigest()) for name in DIGESTS):
        raise Refusal(422, "the digest of what arrived is another one", error="digest")
    id = find_or_make(db, key)
    with Lock(id):
        row = find_upload(db, owner, id)
        # Another request may have brought something meanwhile.
        if status_of(row, agreed)["state"] == "new":
            try:
                append(path_of(row), bytes)
            except OSError:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path_of(row))
                raise
            finish(db, row, key, agreed)
        return status_of(find_upload(db, owner, id), agreed)


def append(path, bytes):
    with open(path, "ab") as file:
        file.write(bytes)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(os.path.dirname(path))


def finish(db, row, expected, agreed):
    """Checks the whole file's digests, and ends the upload."""
    digests = {name: hashlib.new(name) for name in DIGESTS}
    with open(path_of(row), "rb") as file, ThreadPoolExecutor(len(DIGESTS)) as pool:
        while piece := file.read(1 << 20):
            list(pool.map(lambda digest: digest.update(piece), digests.values()))
    actual = {name: digest.hexdigest() for name, digest in digests.items()}
    if any(given[name] not in ("", actual[name]) for given in (row, expected) for name in DIGESTS):
        # Nothing tells which of the segments is wrong.
        os.unlink(path_of(row))
        raise Refusal(422, "the digest of what arrived is another one", error="digest", **status_of(row, agreed))
    final = paths_of(row)[1]
    os.replace(path_of(row), final)
    sync_directory(os.path.dirname(final))
    db.execute("UPDATE uploads SET complete = 1, md5 = ?, sha256 = ? WHERE id = ?",
               (actual["md5"], actual["sha256"], row["id"]))


def sync_directory(path):
    directory = os.open(path, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


# A parameter of a header. A value in quotes ends at the next quote, unless that is \" inside of the value.
PARAMETER = re.compile(r'([^=;"]*)=[ \t]*(?:"((?:[^"]|(?<=\\)"(?![ \t]*(?:;|\Z)))*)"[ \t]*|([^";]*))(?:;|\Z)')


def parameter(header, wanted):
    """Returns the value of a parameter, None when it is missing. What can be read in two ways is refused."""
    found = {}
    rest = header.partition(";")[2].lstrip("; \t")
    while rest:
        match = PARAMETER.match(rest)
        name = match and match[1].strip().lower()
        if not match or name in found:
            raise Refusal(400, "a header of the form can be read in two ways, or in none")
        found[name] = match[3].strip() if match[2] is None else match[2].replace('\\"', '"')
        rest = rest[match.end():].lstrip("; \t")
    return found.get(wanted)


def part_name(head):
    """Returns the name of a part, whose header has one character for each byte."""
    lines = head.split("\r\n")
    if len(head) > MAX_HEADER or any(line[:1] in (" ", "\t") or "\n" in line for line in lines):
        raise Refusal(400, "the header of a part is too long, or has a line that can be read in two ways")
    names = [parameter(line, "name") for line in lines if line.partition(":")[0].lower() == "content-disposition"]
    if len(names) != 1 or names[0] is None:
        raise Refusal(400, "a part has no name, or two of them")
    return names[0].encode("latin-1").decode()


def parse_multipart(body, type):
    """Lists the names and values of a form: text, and bytes for the part 'file'."""
    boundary = parameter(type, "boundary")
    if not boundary:
        raise Refusal(400, "multipart without a boundary")
    # The first boundary has no line before it. After the last one comes "--".
    body = b"\r\n" + body
    mark = re.compile(rb"\r\n--" + re.escape(boundary.encode("latin-1")) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    pairs, begin = [], None
    for match in mark.finditer(body):
        if begin is not None:
            head, blank, value = body[begin:match.start()].partition(b"\r\n\r\n")
            name = part_name(head[2:].decode("latin-1"))
            if not blank:
                raise Refusal(400, "the header of a part has no end")
            pairs.append((name, value if name == "file" else value.decode()))
        if match[1]:
            return pairs
        begin = match.end()
    raise Refusal(400, "the form is cut off")


def read_pairs(environ):
    """Lists the names and values of a form, and tells whether it is multipart."""
    method = environ["REQUEST_METHOD"]
    length = number({"Content-Length": environ.get("CONTENT_LENGTH") or "0"}, "Content-Length")
    body = environ["wsgi.input"].read(min(length, MAX_BODY))
    if method not in ("GET", "POST"):
        raise Refusal(405, "forms come by GET or by POST")
    if length > MAX_BODY:
        raise Refusal(413, "the request is too large", max_segment=MAX_SEGMENT)
    if len(body) < length:
        raise Refusal(400, "the request is cut off")
    type = environ.get("CONTENT_TYPE", "")
    if method == "POST" and type.partition(";")[0].strip().lower() == "multipart/form-data":
        return parse_multipart(body, type), True
    text = environ.get("QUERY_STRING", "") if method == "GET" else body.decode()
    return urllib.parse.parse_qsl(text, keep_blank_values=True, errors="strict"), False


def read_form(environ):
    """Returns the fields of a request, and the function that answers it."""
    pairs, is_multipart = read_pairs(environ)
    form = dict(pairs)
    for name in FIELDS:
        if sum(name == other for other, _ in pairs) > 1:
            raise Refusal(400, f"field '{name}' comes twice")
    answers = {("locate", False): locate, ("send", True): send, ("store", True): store}
    answer = answers.get((form.get("action"), is_multipart))
    if answer is None:
        raise Refusal(400, "field 'action' is not that of such a form")
    return form, answer


def respond(environ):
    try:
        form, answer = read_form(environ)
        owner = environ.get("REMOTE_USER") or ""
        user = field(form, "user", default="")
        if owner and user not in ("", owner):
            raise Refusal(403, "the field 'user' says another name than the login")
        db = open_database()
        try:
            return 200, answer(db, owner, form)
        finally:
            db.close()
    except Refusal as refusal:
        return refusal.status, refusal.members
    except (OSError, sqlite3.Error) as error:
        # The number of the system's error, or SQLite's message.
        if error.args[0] not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, "database or disk is full"):
            raise
        return 507, {"message": "the receiver has no room left"}
    except UnicodeDecodeError:
        return 400, {"message": "the form is not UTF-8"}


def application(environ, start_response):
    status, members = respond(environ)
    body = json.dumps(members).encode()
    start_response(f"{status} -", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    host, port = sys.argv[1].rsplit(":", 1)
    with make_server(host, int(port), application, Server) as server:
        print(f"listening on http://{host}:{server.server_port}/", flush=True)
        server.serve_forever()
