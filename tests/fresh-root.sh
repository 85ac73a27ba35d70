#!/bin/bash
# fresh-root.sh DIR COMMAND: runs COMMAND in a checkout on a fresh Debian 12: a minimal system in DIR with Rust (this machine's) and
# PACKAGES (default: make git gcc libc6-dev), and nothing else. Needs root, and debootstrap.
#     tests/fresh-root.sh /var/tmp/fresh 'make test'
# DIR is made when it is not there, which takes a minute, and stays, with what was built and installed in it: remove it for the
# next fresh one. The checkout is DIR/work, a clone of what is committed here; a later call brings it up to date.
# The packages come from MIRROR and SECURITY_MIRROR. The system gets this machine's certificates, and its settings of name
# lookups, apt, cargo, pip, npm and Maven, so that it reaches what this machine reaches. The mounts are in a namespace of
# their own: they end with COMMAND, as do the processes that it leaves behind.
set -eu
if [ "${1:-}" != --inside ]; then
	[ $# -ge 2 ] || { sed -n '2,/^set/{s/^# //p}' "$0"; exit 2; }
	[ "$(id -u)" = 0 ] || { echo "fresh-root.sh: needs root, to make a system and to mount" >&2; exit 1; }
	exec unshare --mount --propagation private --pid --fork --kill-child "$BASH" "$0" --inside "$@"
fi
shift
root=$(realpath -m "$1")
shift
project=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
rust=$(rustc --print sysroot)
[ "$rust" != /usr ] || { echo "fresh-root.sh: needs a Rust that rustup installed" >&2; exit 1; }
path=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Debian with its certificates, and the three archives that an installed system has.
make_system() {
	mirror=${MIRROR:-http://deb.debian.org/debian}
	mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
	echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/fast"
	debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror"
	cat > "$root/etc/apt/sources.list" <<-END
		deb $mirror bookworm main
		deb $mirror bookworm-updates main
		deb ${SECURITY_MIRROR:-http://deb.debian.org/debian-security} bookworm-security main
	END
	apt-config dump --format '%F "%v";%n' | grep -E '^Acquire::(http|Check|Retries|Force)' > "$root/etc/apt/apt.conf.d/99machine"
	for file in /etc/hosts /etc/resolv.conf /etc/pip.conf ~/.npmrc ~/.m2/settings.xml ~/.config/pip/pip.conf \
		~/.cargo/config.toml /usr/local/share/ca-certificates/*.crt; do
		[ ! -e "$file" ] || install -D -m 644 "$file" "$root/${file/#$HOME\//root/}"
	done
	mkdir -p "$root/opt/rust"
	chroot "$root" update-ca-certificates
	chroot "$root" apt-get update -q
	chroot "$root" apt-get install -q -y --no-install-recommends ${PACKAGES:-make git gcc libc6-dev}
	touch "$root/made"
}

# Makes the system's root directory the one of this script, with what a system has while it runs. (Not by chroot alone: in
# that, Linux makes no user namespaces, which tests need.)
enter() {
	mount --bind "$root" "$root"
	mount -t proc proc "$root/proc"
	mount -t sysfs sys "$root/sys"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	mount --bind -o ro "$rust" "$root/opt/rust"
	cd "$root"
	pivot_root . .
	umount -l .
	cd /work
}

# clean COMMAND…: runs it with the settings of this machine's clients, and no other variables.
clean() {
	settings=$(env | grep -v ^CARGO_TARGET_DIR= |
		grep -E '^([a-z]+_proxy|[A-Z]+_PROXY|(PIP|CARGO|NPM_CONFIG|MAVEN)_[A-Z_]+)=[^ ]*$' || :)
	env -i HOME=/root PATH=$path LANG=C.UTF-8 TERM=dumb $settings \
		NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$@"
}

if [ ! -e "$root/made" ]; then
	mkdir -p "$(dirname "$root")"
	export DEBIAN_FRONTEND=noninteractive
	PATH=$PATH:/usr/sbin make_system > "$root.log" 2>&1 || { tail -n 5 "$root.log"; exit 1; }
fi
[ -e "$root/work" ] || git clone -q "$project" "$root/work"
git -C "$root/work" fetch -q "$project" HEAD
git -C "$root/work" checkout -q --detach FETCH_HEAD
enter
clean /bin/bash -c "$*"
