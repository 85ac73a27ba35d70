#!/bin/sh
# get-lcl.sh DIR FPC: builds the LCL, Lazarus' library for windows, and fpcunit, for Windows programs, from Debian's
# lazarus-src and fpc-source, in DIR/x86_64-win64 and DIR/i386-win32. FPC is the directory that get-fpc.sh filled.
set -eu
mkdir -p "$1"
dir=$(realpath "$1") fpc=$(realpath "$2")
[ -e "$dir/ready" ] && exit
packages=/usr/share/fpcsrc/3.2.2/packages
lazarus=/usr/lib/lazarus/default
# A program that uses the units that have to be built.
cat > "$dir/all.pas" <<END
program all;
uses Interfaces, Forms, Controls, Graphics, Dialogs, Grids, StdCtrls, ExtCtrls, ComCtrls, fpcunit, testregistry;
begin
end.
END

# library COMPILER CPU SYSTEM: builds the units.
library() {
	units=$dir/$2-$3
	mkdir -p "$units"
	set -- "$1" -n "-P$2" "-T$3" -MObjFPC -Scghi -O1 -Xs -WG -v0e -dLCL -dLCLwin32 \
		"-Fu$fpc/units/$2-$3" "-FU$units" "-FE$units"
	for package in fcl-base fcl-fpcunit fcl-image fcl-json fcl-xml fcl-process fcl-registry fcl-res rtl-objpas rtl-extra \
			rtl-generics rtl-unicode hash paszlib pasjpeg chm winunits-base regexpr iconvenc fcl-net fcl-web openssl; do
		for source in src src/win src/windows src/inc src/all; do
			source=$packages/$package/$source
			[ -d "$source" ] && set -- "$@" "-Fu$source" "-Fi$source"
		done
	done
	"$@" "-Fu$lazarus/lcl" "-Fi$lazarus/lcl/include" "-Fu$lazarus/lcl/forms" "-Fu$lazarus/lcl/widgetset" \
		"-Fu$lazarus/lcl/interfaces/win32" "-Fi$lazarus/lcl/interfaces/win32" \
		"-Fu$lazarus/components/lazutils" "-Fi$lazarus/components/lazutils" "-Fu$lazarus/components/freetype" \
		"$dir/all.pas"
	rm "$units/all."*
}

library ppcx64 x86_64 win64
library "$fpc/bin/ppcross386" i386 win32
rm "$dir/all.pas"
touch "$dir/ready"
