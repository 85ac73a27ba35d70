#!/bin/sh
# build.sh x86_64|i686 RUST DIR: builds resup.dll, its import libraries, and resup_jni.dll for the jar, in DIR. RUST is
# the directory that get-rust.sh filled. The same commit gives the same bytes in the same directory;
# in another the imports may have another order, since ld sorts them by the paths of their libraries (in /usr, and below
# the target directory).
set -eu
arch=$1 rust=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
cd "$(dirname "$0")/../.."
mingw=$arch-w64-mingw32
# The targets for Windows 7 and later; the others ("pc") need Windows 10.
target=$arch-win7-windows-gnu
case $arch in
x86_64) machine=i386:x86-64 ;;
*) machine=i386 ;;
esac

version=$(awk -F'"' '/^version/ { print $2; exit }' Cargo.toml)
"$mingw-windres" -DVERSION="$(echo "$version" | tr . ,),0" -DVERSION_TEXT="\\\"$version\\\"" \
	packaging/windows/resup.rc "$out/version.o"

# The crate cc knows the names of the tools for the "pc" targets only.
for tool in CC=gcc AR=ar; do
	export "${tool%=*}_$(echo "$target" | tr - _)=$mingw-${tool#*=}"
done
# As small as possible: without backtraces and source locations, which nobody sees. Derived Debug prints names only.
flags="-Z location-detail=none -Z fmt-debug=shallow -C link-arg=-Wl,--no-insert-timestamp --remap-path-prefix=$PWD=/resup
	--remap-path-prefix=$(realpath -m "${CARGO_TARGET_DIR:-target}")=/target
	--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$rust=/rust"
export "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_RUSTFLAGS=$(echo $flags)"

# dll CRATE ARGUMENT…: builds one DLL. (compiler_builtins in many units, so that the linker takes only what is called.)
dll() {
	crate=$1
	shift
	RUSTC=$rust/rustc RUSTC_BOOTSTRAP=1 ${CARGO:-cargo} rustc --locked --profile dist --config 'profile.dist.opt-level="z"' \
		--config profile.dist.package.compiler_builtins.codegen-units=10000 \
		-Z build-std=std,panic_unwind -Z build-std-features=panic-unwind,optimize_for_size \
		--target "$target" -p "$crate" $features --lib --crate-type cdylib -- "$@"
	cp "${CARGO_TARGET_DIR:-target}/$target/dist/$(echo "$crate" | tr - _).dll" "$out"
}
# Without the tables of charsets, which are a tenth of it.
features="--no-default-features --features dav,dialect,ietf,presigned,session,tus"
dll resup -C link-arg="$out/version.o"
features=
dll resup-jni

{ echo LIBRARY resup.dll; echo EXPORTS; sed 's/^/    /' tests/exports.txt; } > "$out/resup.def"
cd "$out"
# For gcc. (The names of its temporary files become part of the library.)
"$mingw-dlltool" --deterministic-libraries --temp-prefix resup -d resup.def -l libresup.dll.a
llvm-dlltool -m $machine -d resup.def -l resup.lib      # for MSVC
