"""Receives uploads by resumable-upload: python tus_python.py SETTINGS, as JSON."""

import json
import os
import sys
from http.server import ThreadingHTTPServer

from resumable_upload import SQLiteStorage, TusHTTPRequestHandler, TusServer

settings = json.loads(sys.argv[1])
data = settings["data"]
storage = SQLiteStorage(
    db_path=os.path.join(os.path.dirname(data), "uploads.db"), upload_dir=data
)
expire_ms = settings["expire_ms"]


class Handler(TusHTTPRequestHandler):
    tus_server = TusServer(
        storage=storage,
        base_path="/files",
        max_size=settings["max_size"] or 0,
        upload_expiry=expire_ms / 1000 if expire_ms else None,
    )


ThreadingHTTPServer((settings["host"], settings["port"]), Handler).serve_forever()
