#!/bin/sh
# wine.sh 64|32 DIR [--screen] PROGRAM ARGUMENT...: runs a Windows program; windows.mk has filled DIR. The program replaces
# this process, so what kills the process kills the program. A 32-bit program sees only /tmp (or TMPDIR) of this system's
# files. With --screen its windows are on DISPLAY, and other programs of the same bits are ended first: the processes
# of wine that they have started serve all programs, and have another screen or none.
set -eu
bits=$1 dir=$(realpath "$2") screen=false
shift 2
export WINEDEBUG="${WINEDEBUG:--all}" LC_ALL=C.UTF-8
if [ "$1" = --screen ]; then
	screen=true
	shift
else
	unset DISPLAY
fi
case $bits in
64)
	export WINEPREFIX="$dir/wine64" WINEARCH=win64 WINESERVER=/usr/lib/wine/wineserver64
	! $screen || "$WINESERVER" -k || true
	exec /usr/lib/wine/wine64 "$@"
	;;
32)
	root=$dir/wine32/root tmp=${TMPDIR:-/tmp}
	export WINEPREFIX=/prefix WINEARCH=win32 WINESERVER=/usr/lib/wine/wineserver32
	mkdir -p "$root$tmp"
	here=/
	case $PWD in
	"$tmp"/*) here=$PWD ;;
	esac
	# A namespace of its own for the mounts.
	exec unshare --mount sh -eu -c '
		root=$1 tmp=$2 here=$3 screen=$4
		shift 4
		mount --bind "$tmp" "$root$tmp"
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		! $screen || chroot "$root" "$WINESERVER" -k || true
		exec unshare --root "$root" --wd "$here" /usr/lib/wine/wine "$@"' sh "$root" "$tmp" "$here" $screen "$@"
	;;
esac
