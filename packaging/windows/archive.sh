#!/bin/sh
# archive.sh DIR: makes DIR.zip of a directory that stage.sh made, with SHA256SUMS, and removes the directory. The same files give
# the same bytes; SOURCE_DATE_EPOCH is their time.
set -eu
cd "$1"
name=$(basename "$PWD")
find * -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS
chmod -R go=rX,u+w .
find . -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
cd ..
rm -f "$name.zip"
find "$name" | LC_ALL=C sort | TZ=UTC zip -q -X -@ - > "$name.zip"
rm -r "$name"
