#!/bin/sh
# check.sh TARGET RUST TOOLS DIR: checks that the library, the command and the receiver compile for macOS, and links nothing.
# RUST is the directory that get-rust.sh has filled, from whose source cargo makes the standard library; TOOLS has zig, which
# compiles the C of dependencies with headers of its own. What cargo makes is in DIR.
set -eu
target=$1 rust=$2 tools=$3
mkdir -p "$4"
dir=$(realpath "$4")
[ -x "$tools/bin/python-zig" ] || {
	echo "check.sh: no $tools/bin/python-zig: 'make linux-tools' brings it" >&2
	exit 1
}
arch=${target%%-*}

# zig knows the target by another name than the compilers of Xcode.
cat > "$dir/cc-$arch" << END
#!/bin/sh
for argument; do
	shift
	case \$argument in --target=* | -gfull) ;; *) set -- "\$@" "\$argument" ;; esac
done
exec "$tools/bin/python-zig" cc -target $arch-macos "\$@"
END
cat > "$dir/ar" << END
#!/bin/sh
exec "$tools/bin/python-zig" ar "\$@"
END
chmod +x "$dir/cc-$arch" "$dir/ar"
name=$(echo "$target" | tr - _)
export "CC_$name=$dir/cc-$arch" "AR_$name=$dir/ar" ZIG_GLOBAL_CACHE_DIR="$dir/cache" ZIG_LOCAL_CACHE_DIR="$dir/cache"
# Build scripts ask Xcode for it where it is not set; zig has no need of it.
export SDKROOT=/
RUSTC="$rust/rustc" RUSTC_BOOTSTRAP=1 cargo check --locked --target-dir "$dir" -Zbuild-std=std,panic_unwind \
	--target "$target" -p resup -p resup-cli -p resup-receiver
echo "compiles for $target: library, command, receiver"
