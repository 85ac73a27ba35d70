#!/bin/sh
# get-fpc.sh DIR: builds Free Pascal for Windows programs, 64 and 32 bit, from Debian's fpc-source: the compiler for i386 in
# DIR/bin, the run-time library in DIR/units/x86_64-win64 and DIR/units/i386-win32. FPC 3.2.2.
set -eu
mkdir -p "$1"
dir=$(realpath "$1")
[ -e "$dir/ready" ] && exit
source=/usr/share/fpcsrc/3.2.2
native=/usr/lib/x86_64-linux-gnu/fpc/3.2.2
mkdir -p "$dir/bin" "$dir/units" "$dir/tmp"

# library COMPILER CPU SYSTEM: builds the run-time library, and heaptrc, the unit that finds memory leaks.
library() {
	units=$dir/units/$2-$3
	mkdir -p "$units"
	cd "$source/rtl/$3"
	set -- "$1" -n "-P$2" "-T$3" -O2 -Xs -v0e "-FU$units" -Fi../inc "-Fi../$2" -Fi../win -Fi../win/wininc \
		-Fi../objpas -Fi../objpas/sysutils -Fi../objpas/classes -Fu../inc "-Fu../$2" -Fu../win -Fu../objpas -Fu../common
	"$@" -Us -Sg system.pp
	for unit in ../inc/uuchar.pp ../objpas/objpas.pp ../inc/macpas.pp ../inc/iso7185.pp buildrtl.pp \
			../inc/lineinfo.pp ../inc/lnfodwrf.pp ../inc/heaptrc.pp; do
		"$@" "$unit"
	done
}

library ppcx64 x86_64 win64

# Builds the compiler for i386, which runs on this machine. Its messages are not in the source package, but in the
# compiler's.
set -- ppcx64 -n -v0e -O2 -Xs "-Fu$native/units/x86_64-linux/rtl" "-FU$dir/tmp"
cd "$source/compiler"
"$@" "-o$dir/tmp/msg2inc" utils/msg2inc.pp
(cd "$dir/tmp" && ./msg2inc "$native/msg/errore.msg" msg msg)
"$@" -dRELEASE -di386 -dGDB -dNOOPT "-Fi$dir/tmp" -Fui386 -Fix86 -Fii386 -Fux86 -Fusystems -Sg -Ur \
	"-o$dir/bin/ppcross386" pp.pas
library "$dir/bin/ppcross386" i386 win32
rm -r "$dir/tmp"
touch "$dir/ready"
