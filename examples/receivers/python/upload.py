"""A receiver for resup in one file (docs/guide/src/server.md), for Python 3.9 or later. README.md says how to run it.

`application` is a WSGI application. It sees a request when its body is complete, so clients send segments. Several
threads and processes may run it: all they share is the directory RESUP_DATA.
"""

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

DATA = os.environ.get("RESUP_DATA", "uploads")
MAX_SEGMENT = 8 << 20
MAX_BODY = MAX_SEGMENT + (1 << 20)

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
    db.execute("CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, owner TEXT, dir TEXT, name TEXT,"
               " size INTEGER, mtime TEXT, md5 TEXT, complete INTEGER)")
    return db


def path_of(row):
    # The id is the receiver's own. No path is made of a name.
    return os.path.join(DATA, "files" if row["complete"] else "partial", row["id"])


def status_of(row):
    """Returns the members that tell what the receiver has. The bytes are durable before they are told."""
    offset = 0
    if os.path.exists(path_of(row)):
        with open(path_of(row), "rb") as file:
            os.fsync(file.fileno())
            offset = os.fstat(file.fileno()).st_size
    state = "complete" if row["complete"] else "partial" if offset else "new"
    return {"state": state, "offset": offset, "id": row["id"], "max_segment": MAX_SEGMENT}


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


def locate(db, owner, form):
    name, dir = field(form, "name"), field(form, "dir", default="")
    if not is_name(name) or dir and not all(map(is_name, dir.split("/"))):
        raise Refusal(400, "'name' or 'dir' cannot be one")
    key = {"owner": owner, "dir": dir, "name": name, "size": number(form, "size"),
           "mtime": field(form, "mtime", "(-?[0-9]{1,18})?", ""),
           "md5": field(form, "md5", "([0-9a-fA-F]{32})?", "").lower()}
    # A client may know the MD5 only when it asks again.
    version = "(md5 = :md5 OR md5 = '' AND mtime = :mtime)" if key["md5"] else "mtime = :mtime"
    find = (f"SELECT * FROM uploads WHERE owner = :owner AND dir = :dir AND name = :name AND size = :size"
            f" AND {version} ORDER BY md5 = :md5 DESC, complete DESC")
    db.execute("BEGIN IMMEDIATE")
    row = db.execute(find, key).fetchone()
    if row is None:
        db.execute("INSERT INTO uploads VALUES (:id, :owner, :dir, :name, :size, :mtime, :md5, 0)",
                   {**key, "id": uuid.uuid4().hex})
    elif key["md5"] and not row["md5"]:
        db.execute("UPDATE uploads SET md5 = ? WHERE id = ?", (key["md5"], row["id"]))
    id = db.execute(find, key).fetchone()["id"]
    db.execute("COMMIT")
    with Lock(id):
        return status_of(find_upload(db, owner, id))


def find_upload(db, owner, id):
    row = db.execute("SELECT * FROM uploads WHERE owner = ? AND id = ?", (owner, id)).fetchone()
    if row is None:
        raise Refusal(404, "no upload has this id")
    return row


def send(db, owner, form):
    offset, length, size = number(form, "offset"), number(form, "length"), number(form, "size")
    bytes = form.get("file")
    id = find_upload(db, owner, field(form, "id"))["id"]
    with Lock(id):
        row = find_upload(db, owner, id)
        status = status_of(row)
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
        if offset + length == size:
            finish(db, row, field(form, "md5", "[0-9a-fA-F]{32}").lower())
        return status_of(find_upload(db, owner, id))


def append(path, bytes):
    with open(path, "ab") as file:
        file.write(bytes)
        file.flush()
        os.fsync(file.fileno())


def finish(db, row, md5):
    """Checks the whole file's digest, and ends the upload."""
    digest = hashlib.md5()
    with open(path_of(row), "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    if digest.hexdigest() != md5 or row["md5"] not in ("", md5):
        # Nothing tells which of the segments is wrong.
        os.unlink(path_of(row))
        raise Refusal(422, "the digest of what arrived is another one", error="digest", **status_of(row))
    # If the process ends between the two, the next send finds the file by the link, and does this again.
    final = os.path.join(DATA, "files", row["id"])
    if not os.path.exists(final):
        os.link(path_of(row), final)
    sync_directory(os.path.dirname(final))
    db.execute("UPDATE uploads SET complete = 1, md5 = ? WHERE id = ?", (md5, row["id"]))
    os.unlink(path_of(row))


def sync_directory(path):
    directory = os.open(path, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


def parse_multipart(body, type):
    """Returns the fields as text and the part 'file' as bytes."""
    boundary = re.search(r'boundary="?([^";]+)"?', type)
    if not boundary:
        raise Refusal(400, "multipart without a boundary")
    mark = b"\r\n--" + boundary[1].encode()
    parts = (b"\r\n" + body).split(mark)
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise Refusal(400, "the form is cut off")
    form = {}
    for part in parts[1:-1]:
        head, blank, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'[; ]name="([^"]*)"', head)
        if not blank or not name:
            raise Refusal(400, "a part has no name")
        form[name[1].decode()] = value if name[1] == b"file" else value.decode()
    return form


def read_form(environ):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if environ["REQUEST_METHOD"] == "GET":
        text = environ.get("QUERY_STRING", "")
    else:
        body = environ["wsgi.input"].read(min(length, MAX_BODY))
        if length > MAX_BODY:
            raise Refusal(413, "the request is too large", max_segment=MAX_SEGMENT)
        if len(body) < length:
            raise Refusal(400, "the request is cut off")
        type = environ.get("CONTENT_TYPE", "")
        if type.lower().startswith("multipart/form-data"):
            return parse_multipart(body, type)
        text = body.decode()
    return dict(urllib.parse.parse_qsl(text, keep_blank_values=True, errors="strict"))


def respond(environ):
    try:
        form = read_form(environ)
        owner = environ.get("REMOTE_USER") or ""
        user = field(form, "user", default="")
        if owner and user not in ("", owner):
            raise Refusal(403, "the field 'user' says another name than the login")
        action = {"locate": locate, "send": send}.get(form.get("action"))
        if action is None:
            raise Refusal(400, "field 'action' is neither 'locate' nor 'send'")
        db = open_database()
        try:
            return 200, action(db, owner, form)
        finally:
            db.close()
    except Refusal as refusal:
        return refusal.status, refusal.members
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
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
    make_server(host, int(port), application, Server).serve_forever()
