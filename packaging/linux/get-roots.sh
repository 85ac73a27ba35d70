#!/bin/sh
# get-roots.sh DIR: brings systems to run programs in: DIR/debian-11, a Debian 11 with a C compiler, to which only root can
# change, and for each other platform DIR/PLATFORM, which has nothing but its C library.
set -eu
mkdir -p "$1"
dir=$(realpath "$1") here=$(realpath "$(dirname "$0")")

# unpack PLATFORM ARCHITECTURE PACKAGE: unpacks a C library.
unpack() {
	[ -e "$dir/$1/ready" ] && return
	apt=$dir/apt-$2
	"$here/../foreign-apt.sh" "$2" "$apt" update
	mkdir -p "$dir/$1"
	(cd "$apt" && "$here/../foreign-apt.sh" "$2" "$apt" download "$3")
	dpkg-deb --extract "$apt/$3"_*.deb "$dir/$1"
	rm -r "$apt"
	touch "$dir/$1/ready"
}
unpack aarch64-linux-gnu arm64 libc6
unpack i686-linux-gnu i386 libc6
unpack x86_64-linux-musl amd64 musl
unpack aarch64-linux-musl arm64 musl

[ -e "$dir/debian-11/ready" ] && exit
repository=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
rm -rf "$dir/debian-11"
debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev,pkg-config bullseye "$dir/debian-11" "$repository"
touch "$dir/debian-11/ready"
