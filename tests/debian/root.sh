#!/bin/sh
# root.sh SYSTEM STEPS: starts a copy of a minimal Debian 12 with systemd in it, and has it do what is in the directory STEPS:
# its file steps.sh, as root, in /root, where all of STEPS is. The output is that of the steps, and so is the exit code.
# SYSTEM is made by debootstrap when it is not there. Needs root. There is no network in it but 127.0.0.1.
set -eu
system=$1
steps=$2
PATH=$PATH:/usr/sbin:/sbin
if [ ! -e "$system/made" ]; then
	rm -rf "$system"
	mkdir -p "$system"
	debootstrap --variant=minbase --include=systemd,systemd-sysv,curl,ca-certificates,openssl bookworm "$system" \
		"${MIRROR:-http://deb.debian.org/debian}" > "$system.log" 2>&1 || { tail -n 5 "$system.log" >&2; exit 1; }
	rm -rf "$system"/var/cache/apt/archives/*.deb
	touch "$system/made"
fi
copy=$(mktemp -d "$system.XXXXXX")
# (Where this machine has no systemd, nobody but us removes the groups of processes.)
clean() {
	rm -rf "$copy" "$copy.console"
	find /sys/fs/cgroup -depth -type d \( -path '*/payload*' -o -path '*/supervisor' \) -exec rmdir {} + 2> /dev/null || :
}
trap clean EXIT
cp -a "$system/." "$copy"
cp -a "$steps/." "$copy/root"
# Runs once the system is up, and ends it.
cat > "$copy/etc/systemd/system/steps.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
WorkingDirectory=/root
ExecStart=sh -c 'sh steps.sh > log 2>&1 < /dev/null; echo $? > result; systemctl poweroff --no-block'
[Install]
WantedBy=multi-user.target
END
mkdir -p "$copy/etc/systemd/system/multi-user.target.wants"
ln -s ../steps.service "$copy/etc/systemd/system/multi-user.target.wants/"
unit=
[ -d /run/systemd/system ] || unit=--keep-unit
timeout -k 9 900 systemd-nspawn --quiet --register=no $unit --private-network --link-journal=no --console=pipe --directory "$copy" --boot \
	> "$copy.console" 2>&1 < /dev/null || :
if [ -e "$copy/root/result" ]; then
	cat "$copy/root/log"
	exit "$(cat "$copy/root/result")"
fi
echo "root.sh: the system did not get to the steps; its console said:" >&2
tail -n 30 "$copy.console" >&2
exit 1
