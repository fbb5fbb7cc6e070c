#!/bin/sh
# Copyright (c) 2026, the mailroom.erp authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# ldns-read-zone 1.8.3 (Debian 12, ldnsutils) refuses a CAA record whose value has no quotation marks. RFC 8659 section 4.1.1:
# the value is a <character-string> of RFC 1035 section 5.1, which needs none where it has no blanks. BIND 9.18 takes it, so
# a zone that is served cannot be read, signed or verified with ldns tools. Seen: "Syntax error, could not parse the RR's rdata";
# with quotation marks the same zone is read. Needs Debian: it unpacks the packages in a temporary folder and installs nothing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
apt-get -qq download ldnsutils libldns3
for package in ./*.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(dirname "$(find "$folder" -name 'libldns.so.3' | head -1)")
export LD_LIBRARY_PATH
read_zone() {
  {
    echo 'example.org. 3600 IN SOA ns.example.org. hostmaster.example.org. 1 7200 3600 1209600 3600'
    echo 'example.org. 3600 IN NS ns.example.org.'
    echo "example.org. 3600 IN CAA 0 issue $1"
  } >zone
  usr/bin/ldns-read-zone zone
}
read_zone '"letsencrypt.org"' | grep CAA
if read_zone 'letsencrypt.org'; then
  echo 'the behaviour has changed: it takes a value without quotation marks' >&2
  exit 1
fi
