"""Receives forms by Flask: python form_flask.py SETTINGS, as JSON."""

import json
import os
import sys

from flask import Flask, request
from werkzeug.utils import secure_filename

settings = json.loads(sys.argv[1])
app = Flask(__name__)


@app.post("/upload")
def upload():
    file = request.files["file"]
    file.save(os.path.join(settings["data"], secure_filename(file.filename)))
    return {"ok": True, "album": request.form.get("album")}


app.run(settings["host"], settings["port"])
