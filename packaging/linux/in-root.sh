#!/bin/sh
# in-root.sh ROOT PROGRAM ARGUMENT…: runs a program in another system, which sees /tmp (or TMPDIR) and the devices of this one.
# The program replaces this process, so what kills the process kills the program. Only root can.
set -eu
root=$1 tmp=${TMPDIR:-/tmp}
shift
mkdir -p "$root$tmp"
# A namespace of its own for the mounts.
exec unshare --mount sh -eu -c '
	root=$1 tmp=$2
	shift 2
	mount --bind "$tmp" "$root$tmp"
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	exec chroot "$root" "$@"' sh "$root" "$tmp" "$@"
