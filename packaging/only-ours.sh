#!/bin/sh
# only-ours.sh FROM TO: a static library whose only global names are resup_*. As rustc makes it, it has those of Rust's
# standard library as well, which collide with another Rust library's in the same program.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# (What the linker would take once of all libraries has to stay with the names beside it.)
${LD:-ld} -r --force-group-allocation --whole-archive "$1" -o "$work/resup.o"
# (Bitcode, of which the standard library has some, does not survive being put together.)
${OBJCOPY:-objcopy} --wildcard --keep-global-symbol='resup_*' --strip-debug \
	--remove-section=.llvmbc --remove-section=.llvmcmd "$work/resup.o"
rm -f "$2"
${AR:-ar} rcsD "$2" "$work/resup.o"
