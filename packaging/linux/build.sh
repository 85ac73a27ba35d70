#!/bin/sh
# build.sh PLATFORM RUST LINUX ABI: builds, for a PLATFORM like aarch64-linux-musl, libresup.so, libresup.a, what programs
# link beside that (native-libs), and libresup_jni.so for the jar, in LINUX/PLATFORM; with musl the programs resup and
# resup-receiver, too, which are static. RUST is the directory that get-rust.sh has filled; zig, in LINUX/tools, is the C
# compiler and the linker: it has the C libraries of all platforms. The same commit gives the same bytes.
set -eu
platform=$1 rust=$(realpath "$2") linux=$(realpath "$3") abi=$4
cd "$(dirname "$0")/../.."
arch=${platform%%-*}
case $platform in
# The oldest glibc that Rust's standard library runs with.
x86_64-linux-gnu | aarch64-linux-gnu | i686-linux-gnu) target=$arch-unknown-linux-gnu glibc=.2.17 ;;
x86_64-linux-musl | aarch64-linux-musl) target=$arch-unknown-linux-musl glibc= ;;
*)
	echo "build.sh: no platform $platform; there are {x86_64,aarch64,i686}-linux-gnu and {x86_64,aarch64}-linux-musl" >&2
	exit 1
	;;
esac
# binutils for the platform; those of an x86_64 know both.
case $arch in
aarch64) tools=aarch64-linux-gnu- emulation=aarch64linux ;;
i686) tools= emulation=elf_i386 ;;
*) tools= emulation=elf_x86_64 ;;
esac
out=$linux/$platform
zig=$(echo "$platform" | sed 's/^i686/x86/')
built=${CARGO_TARGET_DIR:-target}/$target/dist
mkdir -p "$out"

# Nothing gets into the user's home.
export XDG_CACHE_HOME="$linux/cache" ZIG_GLOBAL_CACHE_DIR="$linux/cache/zig" ZIG_LOCAL_CACHE_DIR="$linux/cache/zig"
export CARGO_ZIGBUILD_ZIG_PATH="$linux/tools/bin/python-zig"
# As small as possible: without source locations, which nobody sees. Derived Debug prints names only.
small="-Z location-detail=none -Z fmt-debug=shallow"
# No path of this machine gets into what is built.
flags="--remap-path-prefix=$PWD=/resup --remap-path-prefix=$(realpath -m "${CARGO_TARGET_DIR:-target}")=/target
	--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$rust=/rust"

# build FLAGS ARGUMENT…: builds one thing. (compiler_builtins in many units, so that the linker takes only what is called.)
build() {
	export "CARGO_TARGET_$(echo "$target" | tr a-z- A-Z_)_RUSTFLAGS=$(echo $flags $1)"
	shift
	RUSTC=$rust/rustc RUSTC_BOOTSTRAP=1 "$linux/tools/bin/cargo-zigbuild" rustc --locked --profile dist \
		--config profile.dist.package.compiler_builtins.codegen-units=10000 \
		-Z build-std=std,panic_unwind -Z build-std-features=panic-unwind,optimize_for_size --target "$target$glibc" "$@"
}

# shared NAME: links a shared library. (zig's unwinder in place of libgcc_s, which not every system has.)
shared() {
	CC="$CARGO_ZIGBUILD_ZIG_PATH cc -target $zig$glibc" \
		packaging/shared.sh "$built/libresup_jni.a" "$out/$1.so" "$abi" -s -lunwind
}

# The jar's library has all that the library has: with one build, of which the linker takes what belongs to each.
build "$small" -p resup-jni --lib --crate-type staticlib --config 'profile.dist.opt-level="z"'
shared libresup
shared libresup_jni
LD="${tools}ld -m $emulation" OBJCOPY=${tools}objcopy AR=${tools}ar packaging/only-ours.sh "$built/libresup_jni.a" "$out/libresup.a"
case $platform in
*-gnu) echo "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc" > "$out/native-libs" ;;
*) echo "-lgcc_eh -lpthread -lm -ldl -lc" > "$out/native-libs" ;;
esac
case $platform in
*-musl)
	# Debian's compiler has no start-up code for musl; zig brings its own.
	build "$small" -p resup-cli --bin resup --config 'profile.dist.opt-level="z"' -- -C link-self-contained=no
	build "" -p resup-receiver --bin resup-receiver -- -C link-self-contained=no
	cp "$built/resup" "$built/resup-receiver" "$out"
	;;
esac
