#!/bin/sh
# get-rust.sh DIR: unpacks a Rust compiler with the source of its standard library from Debian's packages into DIR, and
# installs nothing. DIR/rustc is the compiler. With it cargo's build-std makes the standard library for other systems, which
# only rustup would bring as it is.
set -eu
mkdir -p "$1"
dir=$(realpath "$1")
[ -x "$dir/rustc" ] && exit
version=$(apt-cache policy rustc-web 2> /dev/null | awk '/Candidate/ { print $2 }')
[ -n "$version" ] || {
	echo "get-rust.sh: apt knows no package rustc-web: this takes a Debian 12, after apt-get update" >&2
	exit 1
}
upstream=${version%%+*}
std=libstd-rust-web-${upstream%.*}
llvm=$(apt-cache depends "$std=$version" | awk '/Depends: libllvm/ { print $2 }')
packages=$(mktemp -d)
trap 'rm -r "$packages"' EXIT
cd "$packages"
apt-get -q -o APT::Sandbox::User=root download "rustc-web=$version" "$std=$version" "libstd-rust-web-dev=$version" \
	"rust-web-src=$version" "$llvm"
for package in rustc-web_* libstd-rust-web* libllvm*; do
	dpkg-deb --extract "$package" "$dir"
done
# Of the source only the library.
dpkg-deb --fsys-tarfile rust-web-src_* | tar -x -C "$dir" ./usr/lib "./usr/src/rustc-$upstream/library"

compiler=$dir/compiler
cat > "$compiler" <<END
#!/bin/sh
LD_LIBRARY_PATH=$dir/usr/lib/$(uname -m)-linux-gnu exec $dir/usr/bin/rustc "\$@"
END
chmod +x "$compiler"
# Builds start-up objects, which build-std does not build and 32-bit programs are linked with.
for target in x86_64-win7-windows-gnu i686-win7-windows-gnu; do
	mkdir -p "$dir/usr/lib/rustlib/$target/lib"
	for part in rsbegin rsend; do
		RUSTC_BOOTSTRAP=1 "$compiler" --target $target --crate-type lib --emit obj \
			-o "$dir/usr/lib/rustlib/$target/lib/$part.o" \
			"$dir/usr/src/rustc-$upstream/library/rtstartup/$part.rs"
	done
done
mv "$compiler" "$dir/rustc"
