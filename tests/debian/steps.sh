# What a system administrator does by docs/OPERATION.md, line by line, and what has to be there afterwards. In this directory:
# the document, older/ and newer/ with the packages, fullchain.pem and key.pem of example.org, and ca.pem, which has signed it.
set -eux
export HOME=$PWD RESUP_PASSWORD='correct horse battery' DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=$PWD/bin:$PATH
receiver='runuser -u _resup -- resup-receiver --config /etc/resup-receiver/config.toml'

# lines SECTION [NUMBER]: does what a block of a section says, its first one without a number. It may ask whether to go on.
lines() {
	awk -v title="$1" -v number="${2:-1}" '
		/^##+ / { sub(/^#+ /, ""); here = $0 == title }
		here && /^```sh$/ { inside = ++block == number; next }
		/^```/ { inside = 0 }
		inside' ~/OPERATION.md > ~/block
	test -s ~/block
	yes | sh -eux ~/block
}
# uploaded FILE…: what joe has, or without users what is there.
uploaded() {
	curl --silent --fail --user "joe:$RESUP_PASSWORD" "$address/uploads?state=complete" |
		grep -o '"name":"[^"]*"' | sed 's/.*:"//; s/"//' | sort | tr '\n' ' '
}
fails() {
	if "$@"; then false; fi
}
installed() {
	dpkg-query -W -f '${Version}' resup-receiver
}
serves() {
	systemctl is-active resup-receiver
	for attempt in 1 2 3 4 5 6 7 8 9 10; do
		curl --silent --fail "$address/healthz" && return
		sleep 1
	done
	false
}

cp ca.pem /usr/local/share/ca-certificates/test.crt
update-ca-certificates
echo '127.0.0.1 example.org' >> /etc/hosts
head -c 300000 /dev/urandom > video.mp4
cp video.mp4 later.mp4
apt-get install -q -y ./older/libresup0.1_*.deb ./older/resup_*.deb

cd older
lines Install
cd ..
address=http://127.0.0.1:8080
serves
test "$(stat -c '%U:%G %a' /var/lib/resup)" = '_resup:_resup 700'
test "$(systemctl show -P User resup-receiver)" = _resup
test "$(systemctl show -P UMask resup-receiver)" = 0077
systemctl is-enabled resup-receiver
test "$(systemctl is-enabled resup-receiver.socket)" = disabled
systemd-analyze security --no-pager resup-receiver | tail -n 1
for program in resup resup-receiver; do
	test -s /usr/share/man/man1/$program.1.gz
	bash -n /usr/share/bash-completion/completions/$program
	test -s /usr/share/zsh/vendor-completions/_$program
	test -s /usr/share/fish/vendor_completions.d/$program.fish
done
grep -q 'user add' /usr/share/doc/resup-receiver/README.Debian
resup put video.mp4 $address/upload
test "$(find /var/lib/resup/files -type f -user _resup -perm 600 | wc -l)" = 1

# (The first line of the answers is a password.)
yes() { echo "$RESUP_PASSWORD"; }
lines Users
unset -f yes
$receiver user list | grep joe
fails env RESUP_PASSWORD=wrong resup put --basic joe video.mp4 $address/upload

lines 'TLS, and other machines'
address=https://example.org:8443
serves
lines 'TLS, and other machines' 2
test "$(uploaded)" = 'video.mp4 '

lines 'Backup and restore'
serves
resup put --basic joe later.mp4 $address/upload
test "$(uploaded)" = 'later.mp4 video.mp4 '
lines 'Backup and restore' 2
serves
test "$(uploaded)" = 'video.mp4 '

cd newer
before=$(systemctl show -P MainPID resup-receiver)
was=$(installed)
lines Upgrade
test "$(installed)" != "$was"
test "$(systemctl show -P MainPID resup-receiver)" != "$before"
cd ..
serves
test "$(uploaded)" = 'video.mp4 '

cd older
lines Downgrade
cd ..
test "$(installed)" = "$was"
mv /var/lib/resup.old /var/lib/resup.older
lines 'Backup and restore' 2
serves
test "$(uploaded)" = 'video.mp4 '

# Port 443 by the socket unit.
lines 'The service'
address=https://example.org
serves

lines Removal > said 2>&1
cat said
grep 'uploads and records stay in /var/lib/resup' said
fails systemctl is-active resup-receiver resup-receiver.socket
for gone in /etc/resup-receiver/config.toml /var/lib/resup /lib/systemd/system/resup-receiver.service /usr/bin/resup-receiver; do
	test ! -e $gone
done
fails getent passwd _resup
echo all is as documented
