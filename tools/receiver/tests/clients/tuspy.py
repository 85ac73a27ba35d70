"""An upload by tuspy: tuspy.py ENDPOINT FILE STATE CHUNK CHECKSUM. Its line tells the offset that it began at."""

import os
import sys

from tusclient.client import TusClient
from tusclient.storage.filestorage import FileStorage

endpoint, path, state, chunk, checksum = sys.argv[1:]
uploader = TusClient(endpoint).uploader(
    path,
    chunk_size=int(chunk),
    metadata={"filename": os.path.basename(path)},
    store_url=True,
    url_storage=FileStorage(state),
    upload_checksum=checksum == "checksum",
    retries=3,
    retry_delay=1,
)
first = uploader.offset
uploader.upload()
print(first)
