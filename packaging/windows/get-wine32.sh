#!/bin/sh
# get-wine32.sh DIR: unpacks wine for 32-bit programs, with all that it needs, into DIR. It installs nothing, so the system
# does not need packages of another architecture.
set -eu
mkdir -p "$1"
dir=$(realpath "$1")
[ -e "$dir/ready" ] && exit
mkdir -p "$dir/root"
get() {
	"$(dirname "$0")/../foreign-apt.sh" i386 "$dir/apt" "$@"
}
get update
get install -y --download-only wine32 wine
for package in "$dir"/apt/cache/archives/*.deb; do
	dpkg-deb --extract "$package" "$dir/root"
done
rm -r "$dir/apt"
# Marks the library as one of wine's own, as the script of the package does.
library=$dir/root/usr/i686-w64-mingw32/lib/zlib1.dll
{
	head -c 64 "$library"
	printf 'Wine builtin DLL'
	head -c 16 /dev/zero
	tail -c +97 "$library"
} > "$dir/root/usr/lib/i386-linux-gnu/wine/i386-windows/zlib1.dll"
echo '127.0.0.1 localhost' > "$dir/root/etc/hosts"
echo 'hosts: files' > "$dir/root/etc/nsswitch.conf"
# The locale in which file names are UTF-8.
mkdir -p "$dir/root/usr/lib/locale"
cp -R /usr/lib/locale/C.utf8 "$dir/root/usr/lib/locale"
mkdir -p "$dir/root/proc" "$dir/root/dev" "$dir/root/tmp"
touch "$dir/ready"
