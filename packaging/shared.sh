#!/bin/sh
# shared.sh FROM TO ABI [WORD…]: links the shared library TO, libresup.so or libresup_jni.so, of the static one that rustc has
# made. The names that libresup.so exports, which tests/exports.txt lists, have a version, RESUP_ABI: a program that
# was linked with it asks for that version, so that it never takes the names of another ABI. (rustc's own shared library
# has none: rustc gives the linker a list of exports without versions, beside which linkers take no other.) CC is the
# linker; WORDs are more for it.
set -eu
from=$1 to=$2 abi=$3
shift 3
list=$(dirname "$0")/../tests/exports.txt
exports=$(mktemp)
trap 'rm "$exports"' EXIT
# -z nodelete: dlclose must not take the code away under the library's own threads.
set -- -Wl,-z,nodelete "$@"
case $to in
*_jni.so)
	echo '{ global: Java_*; local: *; };' > "$exports"
	;;
*)
	echo "RESUP_$abi { global: $(sed 's/$/;/' "$list") local: *; };" > "$exports"
	set -- "-Wl,-soname,libresup.so.$abi" -Wl,--no-undefined-version "$@"
	;;
esac
# (It may be another name of cargo's file.)
rm -f "$to"
${CC:-cc} -shared -o "$to" -Wl,--whole-archive "$from" -Wl,--no-whole-archive -Wl,--gc-sections -Wl,--as-needed \
	-Wl,-z,defs,-z,relro,-z,now,-z,noexecstack "-Wl,--version-script=$exports" "$@" -lpthread -ldl -lm
