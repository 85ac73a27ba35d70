#!/bin/sh
# build.sh x86_64|i686 RUST DIR [PART...]: builds in DIR what is for Windows, or only these parts of it: "library" (resup.dll and its
# import libraries), "jni" (resup_jni.dll for the jar), "command" (resup.exe), "receiver" (resup-receiver.exe). RUST is the
# directory that get-rust.sh filled. The same commit gives the same bytes in the same directory; in another the imports may
# have another order, since ld sorts them by the paths of their libraries (in /usr, and below the target directory).
set -eu
arch=$1 rust=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
shift 3
[ $# -gt 0 ] || set -- library jni command receiver
cd "$(dirname "$0")/../.."
mingw=$arch-w64-mingw32
# The targets for Windows 7 and later; the others ("pc") need Windows 10.
target=$arch-win7-windows-gnu
case $arch in
x86_64) machine=i386:x86-64 ;;
*) machine=i386 ;;
esac

version=$(awk -F'"' '/^version/ { print $2; exit }' Cargo.toml)
# The crate cc knows the names of the tools for the "pc" targets only.
for tool in CC=gcc AR=ar; do
	export "${tool%=*}_$(echo "$target" | tr - _)=$mingw-${tool#*=}"
done
# As small as possible: without backtraces and source locations, which nobody sees. Derived Debug prints names only.
flags="-Z location-detail=none -Z fmt-debug=shallow -C link-arg=-Wl,--no-insert-timestamp --remap-path-prefix=$PWD=/resup
	--remap-path-prefix=$(realpath -m "${CARGO_TARGET_DIR:-target}")=/target
	--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$rust=/rust"
export "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_RUSTFLAGS=$(echo $flags)"

# build CRATE FILE TYPE DESCRIPTION ARGUMENT...: builds a DLL or a program, with version and manifest in it. (compiler_builtins in
# many units, so that the linker takes only what is called.)
build() {
	crate=$1 file=$2 resource=$out/$2.o
	"$mingw-windres" -DTYPE="$3" -DVERSION="$(echo "$version" | tr . ,),0" -DVERSION_TEXT="\\\"$version\\\"" -DFILE="\\\"$2\\\"" \
		-DNAME="\\\"${2%.*}\\\"" -DDESCRIPTION="\\\"$4\\\"" packaging/windows/resource.rc "$resource"
	shift 4
	RUSTC=$rust/rustc RUSTC_BOOTSTRAP=1 ${CARGO:-cargo} rustc --locked --profile dist --config 'profile.dist.opt-level="z"' \
		--config profile.dist.package.compiler_builtins.codegen-units=10000 \
		-Z build-std=std,panic_unwind -Z build-std-features=panic-unwind,optimize_for_size \
		--target "$target" -p "$crate" "$@" -- -C link-arg="$resource"
	rm "$resource"
	cp "${CARGO_TARGET_DIR:-target}/$target/dist/$file" "$out"
}

for part; do
	case $part in
	library)
		# Without the tables of charsets, which are a tenth of it.
		build resup resup.dll VFT_DLL "Resumable HTML-form uploads" --lib --crate-type cdylib \
			--no-default-features --features dav,dialect,ietf,presigned,session,tus
		{ echo LIBRARY resup.dll; echo EXPORTS; sed 's/^/    /' tests/exports.txt; } > "$out/resup.def"
		# For gcc, and for MSVC. (The names of the former's temporary files become part of the library.)
		(cd "$out" && "$mingw-dlltool" --deterministic-libraries --temp-prefix resup -d resup.def -l libresup.dll.a)
		llvm-dlltool -m $machine -d "$out/resup.def" -l "$out/resup.lib"
		;;
	jni) build resup-jni resup_jni.dll VFT_DLL "Resumable HTML-form uploads, for Java" --lib --crate-type cdylib ;;
	command) build resup-cli resup.exe VFT_APP "Uploads files, and resumes uploads" --bin resup ;;
	receiver) build resup-receiver resup-receiver.exe VFT_APP "Receives uploads that resume" --bin resup-receiver ;;
	*)
		echo "build.sh: there is no part \"$part\": write library, jni, command or receiver" >&2
		exit 2
		;;
	esac
done
