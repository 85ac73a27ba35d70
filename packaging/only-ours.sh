#!/bin/sh
# only-ours.sh FROM TO: makes a static library whose only global names are resup_*. The one that rustc makes also has those
# of Rust's standard library, which collide with those of another Rust library in the same program.
set -eu
# (A Mac has no objcopy, and keeps libraries apart by their visibility.)
[ "$(uname)" != Darwin ] || exec cp "$1" "$2"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What none of them needs is left out. (Groups of sections, of which the linker would take one from all libraries, stay in this object with their names.)
${LD:-ld} -r --force-group-allocation --gc-sections $(sed 's/^/-u /' "$(dirname "$0")/../tests/exports.txt") \
	--whole-archive "$1" -o "$work/resup.o"
# (The standard library contains bitcode, which is invalid after `ld -r`.)
${OBJCOPY:-objcopy} --wildcard --keep-global-symbol='resup_*' --strip-unneeded \
	--remove-section=.llvmbc --remove-section=.llvmcmd "$work/resup.o"
rm -f "$2"
${AR:-ar} rcsD "$2" "$work/resup.o"
