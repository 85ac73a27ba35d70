#!/bin/sh
# get-fpc.sh DIR: builds Free Pascal for Windows programs, 64 and 32 bit, from Debian's fpc-source: the compiler for i386 in
# DIR/bin, the run-time library in DIR/units/x86_64-win64 and DIR/units/i386-win32, and the compilers as Windows programs in
# DIR/windows/x86_64 and DIR/windows/i686. FPC 3.2.2.
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

# The compiler's messages are not in the source package, but in the compiler's.
cd "$source/compiler"
ppcx64 -n -v0e "-Fu$native/units/x86_64-linux/rtl" "-FU$dir/tmp" "-o$dir/tmp/msg2inc" utils/msg2inc.pp
(cd "$dir/tmp" && ./msg2inc "$native/msg/errore.msg" msg msg)

# compiler CPU PROGRAM UNITS COMPILER ARGUMENT...: builds the compiler for a processor, by this compiler and these units.
compiler() {
	cpu=$1 program=$2 units=$3
	shift 3
	mkdir -p "$dir/tmp/units" "$(dirname "$program")"
	cd "$source/compiler"
	"$@" -n -v0e -O2 -Xs -Sg -Ur -dRELEASE "-d$cpu" -dGDB -dNOOPT "-Fu$units" "-Fi$dir/tmp" "-Fu$cpu" "-Fi$cpu" -Fix86 \
		-Fux86 -Fusystems -Fu../rtl/charmaps "-FU$dir/tmp/units" "-o$program" pp.pas
	rm -r "$dir/tmp/units"
}

compiler i386 "$dir/bin/ppcross386" "$native/units/x86_64-linux/rtl" ppcx64
library "$dir/bin/ppcross386" i386 win32
compiler x86_64 "$dir/windows/x86_64/fpc.exe" "$dir/units/x86_64-win64" ppcx64 -Px86_64 -Twin64
compiler i386 "$dir/windows/i686/fpc.exe" "$dir/units/i386-win32" "$dir/bin/ppcross386" -Pi386 -Twin32
rm -r "$dir/tmp"
touch "$dir/ready"
