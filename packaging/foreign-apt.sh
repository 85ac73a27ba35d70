#!/bin/sh
# foreign-apt.sh ARCHITECTURE DIR ARGUMENT…: runs apt-get for packages of another architecture, from the repository of this
# system. Its state is in DIR, so the system itself needs to know nothing of that architecture.
set -eu
architecture=$1
mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
dir=$(realpath "$2")
shift 2
[ -e "$dir/status" ] || : > "$dir/status"
apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
	awk '$2 !~ /security|updates|backports/ {
		print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " $1, $2, "main"; exit }' > "$dir/sources"
exec apt-get -q -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" -o APT::Install-Recommends=0 \
	-o APT::Sandbox::User=root -o Dir::State="$dir" -o Dir::State::status="$dir/status" \
	-o Dir::Cache="$dir/cache" -o Dir::Etc::SourceList="$dir/sources" -o Dir::Etc::SourceParts=/dev/null \
	-o Dir::Etc::PreferencesParts=/dev/null "$@"
