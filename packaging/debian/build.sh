#!/bin/sh
# build.sh DIRECTORY VERSION ABI: makes the packages in DIRECTORY, in which debian/libresup-dev has all that `make install`
# installs, debian/resup-receiver what `make install-receiver` does, and licences has the licences. For another architecture
# dpkg-architecture's variables are set: what is there is complete then, and is not stripped.
set -eu
ours=$(cd "$(dirname "$0")" && pwd)
root=$ours/../..
directory=$1
version=$2
abi=$3
runtime=libresup$abi
cd "$directory"

# move PACKAGE PATH…: what is in libresup-dev belongs to another package.
move() {
	package=debian/$1
	shift
	for path in debian/libresup-dev/usr/$1; do
		home=$package${path#debian/libresup-dev}
		mkdir -p "${home%/*}"
		mv "$path" "$home"
	done
}
move "$runtime" 'lib/*/libresup.so.*'
move resup bin
move resup share/man/man1
for place in bash-completion zsh fish; do
	move resup share/$place
done
chmod 644 debian/"$runtime"/usr/lib/*/libresup.so."$version"
# Debian's zsh looks elsewhere.
for package in resup resup-receiver; do
	mv debian/$package/usr/share/zsh/site-functions debian/$package/usr/share/zsh/vendor-completions
done

# depends FILE: says which C library a shared library needs, and ends where it needs another one.
depends() {
	readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r needed; do
		case $needed in
		libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libutil.so.* | libpthread.so.* | ld-linux*) ;;
		*)
			echo "build.sh: $1 needs $needed, which is not of the C library: name the package that has it" >&2
			exit 1
			;;
		esac
	done
	newest=$(readelf --version-info --wide "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
	echo "shlibs:Depends=libc6 (>= ${newest#GLIBC_})"
}

# What debhelper reads. It installs the units and the system user itself.
sed "s/@ABI@/$abi/" "$ours/control" > debian/control
cat > debian/changelog <<END
resup ($version-1) unstable; urgency=medium

  * See changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(date -uRd "@$SOURCE_DATE_EPOCH")
END
cat "$ours/copyright" licences/LICENSE-MIT > debian/copyright
cp "$ours"/resup.* "$ours"/resup-receiver.* debian/
mv debian/resup-receiver/usr/lib/systemd/system/* debian/
mv debian/resup-receiver/usr/lib/sysusers.d/resup-receiver.conf debian/resup-receiver.sysusers
rm -r debian/resup-receiver/usr/lib

dh_installdocs -A licences/THIRD-PARTY.txt licences/COPYRIGHT-library.html
dh_installdocs -p resup-receiver "$root/docs/OPERATION.md" "$root/docs/operation"
dh_installchangelogs "$root/CHANGELOG.md"
dh_installsysusers
dh_installsystemd -p resup-receiver resup-receiver.service
dh_installsystemd -p resup-receiver --no-enable --no-start resup-receiver.socket
dh_lintian
[ "$DEB_HOST_ARCH" != "$DEB_BUILD_ARCH" ] || dh_strip --no-automatic-dbgsym -X libresup.a
dh_compress
dh_fixperms
dh_makeshlibs -V "$runtime (>= $version)"
if [ "$DEB_HOST_ARCH" = "$DEB_BUILD_ARCH" ]; then
	dh_shlibdeps
else
	# The libraries of another architecture are not here. Only the C library is needed, and static programs need nothing.
	depends debian/"$runtime"/usr/lib/*/libresup.so."$version" >> debian/"$runtime".substvars
fi
dh_installdeb
dh_gencontrol
dh_md5sums
dh_builddeb --destdir=.
