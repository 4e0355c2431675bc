#!/usr/bin/env bash
# Debian packages that the tests on a real kernel use. Does nothing where they are installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian-packages.sh"
# Without them, and without root, tests that need them are skipped.
install_packages 0 fuse3 fio git attr acl rsync tar bindfs gcc libc6-dev linux-libc-dev sqlite3 postgresql-common
# A fresh PostgreSQL makes and starts a cluster of its own; the tests make theirs. Told so for this installation only.
if ! dpkg-query -W -f='${Status}' postgresql 2>/dev/null | grep -q '^install ok installed$'; then
  settings=/etc/postgresql-common/createcluster.conf
  before=$(mktemp)
  cp -p "$settings" "$before"
  trap 'cp -p "$before" "$settings" && rm "$before"' EXIT
  echo 'create_main_cluster = false' >>"$settings"
  install_packages 0 postgresql
fi
