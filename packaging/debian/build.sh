#!/bin/sh
# build.sh DIRECTORY VERSION ABI: makes the packages in DIRECTORY, in which debian/libresup-dev has all that `make install`
# installs, debian/resup-receiver what `make install-receiver` does, and licences has the licences. For another architecture
# dpkg-architecture's variables are set.
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

# What debhelper reads. It installs the units and the system user itself.
sed "s/@ABI@/$abi/" "$ours/control" > debian/control
cat > debian/changelog <<END
resup ($version-1) unstable; urgency=medium

  * See changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(date -uRd "@$SOURCE_DATE_EPOCH")
END
cat "$ours/copyright" licences/LICENSE-MIT > debian/copyright
cp "$ours"/resup-receiver.* debian/
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
dh_strip --no-automatic-dbgsym -X libresup.a
dh_compress
dh_fixperms
dh_makeshlibs -V "$runtime (>= $version)"
dh_shlibdeps
dh_installdeb
dh_gencontrol
dh_md5sums
dh_builddeb --destdir=.
