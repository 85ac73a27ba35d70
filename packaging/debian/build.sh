#!/bin/sh
# build.sh DIRECTORY VERSION ABI: makes the packages in DIRECTORY, in which libresup-dev has all that `make install`
# installs, and licences has the licences.
set -eu
ours=$(cd "$(dirname "$0")" && pwd)
changes=$ours/../../CHANGELOG.md
directory=$1
version=$2
abi=$3
runtime=libresup$abi
cd "$directory"

mkdir -p "$runtime/usr/lib" resup/usr/share/man debian
for library in libresup-dev/usr/lib/*/libresup.so.*; do
	home=$runtime${library#libresup-dev}
	mkdir -p "$(dirname "$home")"
	mv "$library" "$home"
done
mv libresup-dev/usr/bin resup/usr/
mv libresup-dev/usr/share/man/man1 resup/usr/share/man/
chmod 644 "$runtime"/usr/lib/*/libresup.so."$version"
strip --strip-unneeded --remove-section=.comment "$runtime"/usr/lib/*/libresup.so."$version" resup/usr/bin/resup

# The files that dpkg's tools read.
sed "s/@ABI@/$abi/" "$ours/control" > debian/control
cat > debian/changelog <<END
resup ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(date -uRd "@$SOURCE_DATE_EPOCH")
END

mkdir "$runtime/DEBIAN"
echo "libresup $abi $runtime (>= $version)" > "$runtime/DEBIAN/shlibs"
echo 'activate-noawait ldconfig' > "$runtime/DEBIAN/triggers"

for package in "$runtime" libresup-dev resup; do
	documents=$package/usr/share/doc/$package
	mkdir -p "$documents" "$package/DEBIAN"
	cat "$ours/copyright" licences/LICENSE-MIT > "$documents/copyright"
	cp licences/THIRD-PARTY.txt licences/COPYRIGHT-library.html "$changes" "$documents"
	cp debian/changelog "$documents/changelog"
	gzip -9n "$documents"/*.txt "$documents"/*.html "$documents"/*.md "$documents/changelog"
	find "$package/usr/share" -path '*/man/*' -type f -exec gzip -9n {} +
	find "$package" -type f \( -name 'libresup.so.*' -o -path '*/bin/*' \) \
		-exec dpkg-shlibdeps -Tdebian/"$package".substvars {} +
	dpkg-gencontrol -p"$package" -P"$package" -Tdebian/"$package".substvars
	(cd "$package" && find usr -type f | LC_ALL=C sort | xargs md5sum > DEBIAN/md5sums)
	chmod -R go=rX,u+w "$package"
	dpkg-deb --root-owner-group --build "$package" .
done
