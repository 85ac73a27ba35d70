#!/bin/sh
# setup.sh PART: sees to the packages that a part of the Makefile's targets needs ("all": that any needs), by the list in
# setup.txt. Installs what is missing on a Debian where root runs it; elsewhere says what is missing, and fails.
set -eu
part=$1
PATH=$PATH:/usr/sbin:/sbin
# By this file a Debian system is told not to start the servers among the packages.
policy=/usr/sbin/policy-rc.d

if command -v dpkg-query > /dev/null; then
	# What is installed, and what that stands for, a name a line.
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' |
		sed -n 's/^installed //p' | sed 's/([^)]*)//g; s/ //g' | tr , '\n')
	is_there() { echo "$installed" | grep -qxF -e "$1"; }
else
	installed=
	is_there() { [ "$2" = - ] || command -v "$2" > /dev/null; }
fi

missing() {
	grep -v -e '^#' -e '^$' "$(dirname "$0")/setup.txt" | while read -r parts package program purpose; do
		case ",$parts,all," in
		*",$part,"*) is_there "$package" "$program" || printf '  %-28s%s\n' "$package" "$purpose" ;;
		esac
	done
}

missing=$(missing)
[ -n "$missing" ] || exit 0
packages=$(echo "$missing" | awk '{ printf " %s", $1 }')
if [ -z "$installed" ] || [ "$(id -u)" != 0 ]; then
	cat >&2 <<-END
		Not installed, and what it is for:
		$missing
		On Debian 12 "make setup PARTS=$part", as root, installs it, or:
		  apt-get install --no-install-recommends$packages
		Other systems have it under their own names. Plain "cargo test" needs none of it and says what it skips;
		"make SETUP=true ..." goes on as if all were there.
	END
	exit 1
fi
echo "installing$packages"
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' > $policy
	chmod 755 $policy
fi
# A cluster of PostgreSQL's own would lie there for nothing.
cluster=/etc/postgresql-common/createcluster.d/resup.conf
case "$packages " in
*" postgresql "*)
	if [ ! -e /etc/postgresql ]; then
		echo "writing $cluster: PostgreSQL makes no cluster of its own; remove it to have one"
		mkdir -p "${cluster%/*}"
		echo 'create_main_cluster = false' > $cluster
	fi
	;;
esac
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
