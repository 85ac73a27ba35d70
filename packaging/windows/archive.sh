#!/bin/sh
# archive.sh DIR NAME: dist/NAME.zip of what build.sh put into DIR, with headers and licences.
set -eu
dir=$1 name=$2
cd "$(dirname "$0")/../.."
stage=$(mktemp -d)
trap 'rm -r "$stage"' EXIT
mkdir -p "$stage/$name/bin" "$stage/$name/lib" "$stage/$name/include/resup" dist
cp "$dir/resup.dll" "$stage/$name/bin"
cp "$dir/libresup.dll.a" "$dir/resup.lib" "$dir/resup.def" "$stage/$name/lib"
cp include/resup.h "$stage/$name/include"
cp bindings/cpp/include/resup/*.hpp "$stage/$name/include/resup"
cp LICENSE-MIT LICENSE-APACHE docs/WINDOWS.md "$stage/$name"
rm -f "dist/$name.zip"
(cd "$stage" && zip -q -r -X - "$name") > "dist/$name.zip"
