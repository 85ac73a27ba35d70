#!/bin/sh
# build-lcl.sh 64|32 FPC OUT PROGRAM: builds a program with a window for Windows, with the LCL from its sources. FPC is the
# directory that get-fpc.sh filled; PROGRAM lies in the current directory. Needs lazarus-src and fpc-source.
set -eu
bits=$1 fpc=$(realpath "$2") program=$4
packages=/usr/share/fpcsrc/3.2.2/packages
lazarus=/usr/lib/lazarus/default
bindings=$(realpath "$(dirname "$0")/../../bindings/delphi/src")
mkdir -p "$3/units"
out=$(realpath "$3")
case $bits in
64) set -- ppcx64 -Px86_64 -Twin64 "-Fu$fpc/units/x86_64-win64" ;;
32) set -- "$fpc/bin/ppcross386" -Pi386 -Twin32 "-Fu$fpc/units/i386-win32" ;;
esac
for package in fcl-base fcl-image fcl-json fcl-xml fcl-process fcl-registry fcl-res rtl-objpas rtl-extra rtl-generics \
		rtl-unicode hash paszlib pasjpeg chm winunits-base regexpr iconvenc fcl-net fcl-web openssl; do
	for dir in src src/win src/windows src/inc src/all; do
		[ -d "$packages/$package/$dir" ] && set -- "$@" "-Fu$packages/$package/$dir" "-Fi$packages/$package/$dir"
	done
done
exec "$@" -n -MObjFPC -Scghi -O1 -Xs -WG -v0e -dLCL -dLCLwin32 "-Fu$lazarus/lcl" "-Fi$lazarus/lcl/include" \
	"-Fu$lazarus/lcl/forms" "-Fu$lazarus/lcl/widgetset" "-Fu$lazarus/lcl/interfaces/win32" \
	"-Fi$lazarus/lcl/interfaces/win32" "-Fu$lazarus/components/lazutils" "-Fi$lazarus/components/lazutils" \
	"-Fu$lazarus/components/freetype" "-Fu$bindings" "-FU$out/units" "-FE$out" "$program"
