#!/bin/sh
# archive.sh DIR NAME LICENCES DIST: makes DIST/NAME.zip of what build.sh put into DIR, with headers, the Pascal units and
# licences.
# The same files give the same bytes; SOURCE_DATE_EPOCH is their time.
set -eu
dir=$1 name=$2 licences=$3 dist=$(realpath "$4")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
stage=$work/$name
mkdir -p "$stage/bin" "$stage/lib" "$stage/include/resup" "$stage/delphi"
cp "$dir/resup.dll" "$stage/bin"
cp "$dir/libresup.dll.a" "$dir/resup.lib" "$dir/resup.def" "$stage/lib"
cp include/resup.h "$stage/include"
cp bindings/cpp/include/resup/*.hpp "$stage/include/resup"
cp bindings/delphi/src/*.pas "$stage/delphi"
cp "$licences"/* README.md CHANGELOG.md docs/WINDOWS.md "$stage"
(cd "$stage" && find * -type f | LC_ALL=C sort | xargs sha256sum) > "$work/SHA256SUMS"
mv "$work/SHA256SUMS" "$stage"
chmod -R go=rX,u+w "$stage"
find "$stage" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
rm -f "$dist/$name.zip"
cd "$work"
find "$name" | LC_ALL=C sort | TZ=UTC zip -q -X -@ - > "$dist/$name.zip"
