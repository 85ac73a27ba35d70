#!/bin/sh
# stage.sh ARCH BUILT LICENCES DIR: puts into DIR what an archive for Windows has: what build.sh made in BUILT, headers, the units and
# packages for Delphi and Free Pascal, examples, documents, and licences. Sources keep their places in the tree, so that they
# find each other.
set -eu
arch=$1 built=$2 licences=$3
rm -rf "$4"
mkdir -p "$4/bin" "$4/lib" "$4/include/resup"
stage=$(realpath "$4")
cd "$(dirname "$0")/../.."
cp "$built/resup.dll" "$built/resup.exe" "$built/resup-receiver.exe" "$stage/bin"
cp "$built/libresup.dll.a" "$built/resup.lib" "$built/resup.def" "$stage/lib"
cp include/resup.h "$stage/include"
cp bindings/cpp/include/resup/*.hpp "$stage/include/resup"
# Compilers leave other files beside these.
find bindings/delphi/src bindings/delphi/packages examples/c examples/cpp examples/delphi examples/java docs/guide/src docs/operation \
	-type f -regex '.*\.\(c\|cpp\|java\|pas\|dpr\|lpr\|lpi\|lpk\|dpk\|dfm\|lfm\|md\)' -exec cp --parents -t "$stage" {} +
cp --parents -t "$stage" CHANGELOG.md docs/DIALECTS.md docs/ERRORS.md docs/OPERATION.md docs/OTHER-SERVERS.md \
	docs/PROTOCOL.md docs/WINDOWS.md
cp "$licences"/* "$stage"
case $arch in
x86_64) bits=64 ;;
i686) bits=32 ;;
esac
version=$(awk -F'"' '/^version/ { print $2; exit }' Cargo.toml)
sed "s/@VERSION@/$version/g; s/@BITS@/$bits/g; s/@MINGW@/$arch-w64-mingw32/g" packaging/windows/README.md > "$stage/README.md"
# archive.sh fills it; the README links to it.
: > "$stage/SHA256SUMS"
