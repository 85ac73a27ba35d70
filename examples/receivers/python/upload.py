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

DATA = os.environ.get("RESUP_DATA", "uploads")
MAX_SEGMENT = 8 << 20
MAX_BODY = MAX_SEGMENT + (1 << 20)
MAX_HEADER = 16 << 10
# The fields that mean something here. The program's own ones are passed over.
FIELDS = {"action", "user", "name", "size", "mtime", "dir", "md5", "id", "offset", "length", "file"}

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


def paths_of(row):
    """Returns where the file is until it is finished, and where from then on: it moves before the row says so."""
    # The id is the receiver's own. No path is made of a name.
    return [os.path.join(DATA, place, row["id"]) for place in ("partial", "files")]


def path_of(row):
    partial, final = paths_of(row)
    return final if os.path.exists(final) else partial


def status_of(row):
    """Returns the members that tell what the receiver has. The bytes are durable before they are told."""
    # Without a file there is nothing yet; or it was finished, and somebody has taken it away.
    offset = row["size"] if row["complete"] else 0
    for path in paths_of(row):
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            os.fsync(file.fileno())
            offset = os.fstat(file.fileno()).st_size
            break
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
    key["mtime"] = key["mtime"] and str(int(key["mtime"]))
    # A client may know the MD5 only when it asks again.
    version = "(md5 = :md5 OR md5 = '' AND mtime = :mtime)" if key["md5"] else "mtime = :mtime"
    order = "md5 = :md5 DESC, complete DESC" if key["md5"] else "rowid DESC"
    find = (f"SELECT * FROM uploads WHERE owner = :owner AND dir = :dir AND name = :name AND size = :size"
            f" AND {version} ORDER BY {order}")
    db.execute("BEGIN IMMEDIATE")
    row = db.execute(find, key).fetchone()
    if row is None:
        db.execute("INSERT INTO uploads VALUES (:id, :owner, :dir, :name, :size, :mtime, :md5, 0)",
                   {**key, "id": uuid.uuid4().hex})
    elif key["md5"] and not row["md5"]:
        db.execute("UPDATE uploads SET md5 = ? WHERE id = ?", (key["md5"], row["id"]))
    id = db.execute(find, key).fetchone()["id"]
    db.execute("COMMIT")
    return status_of(find_upload(db, owner, id))


def find_upload(db, owner, id):
    row = db.execute("SELECT * FROM uploads WHERE owner = ? AND id = ?", (owner, id)).fetchone()
    if row is None:
        raise Refusal(404, "no upload has this id")
    return row


def send(db, owner, form):
    offset, length, size = number(form, "offset"), number(form, "length"), number(form, "size")
    bytes, md5 = form.get("file"), field(form, "md5", "([0-9a-fA-F]{32})?", "").lower()
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
        # Without its MD5 a file is not complete.
        if offset + length == size and md5:
            finish(db, row, md5)
        return status_of(find_upload(db, owner, id))


def append(path, bytes):
    with open(path, "ab") as file:
        file.write(bytes)
        file.flush()
        os.fsync(file.fileno())
    sync_directory(os.path.dirname(path))


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
    final = paths_of(row)[1]
    os.replace(path_of(row), final)
    sync_directory(os.path.dirname(final))
    db.execute("UPDATE uploads SET complete = 1, md5 = ? WHERE id = ?", (md5, row["id"]))


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
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if line[:1] in (" ", "\t") or len(head) > MAX_HEADER:
            raise Refusal(400, "the header of a part is too long, or has a folded line")
        if key.lower() == "content-disposition":
            name = parameter(value, "name")
            if name is not None:
                return name.encode("latin-1").decode()
    raise Refusal(400, "a part has no name")


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
    answer = {("locate", False): locate, ("send", True): send}.get((form.get("action"), is_multipart))
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
