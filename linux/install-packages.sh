#!/usr/bin/env bash
# Debian packages that building and booting the test kernel uses. Does nothing where they are installed.
# linux-source-6.12 is in Debian 12's security suite (which the release's default sources have) and in Debian 13.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/debian-packages.sh"
check_sources() {
  apt-cache show linux-source-6.12 >/dev/null 2>&1 && return
  echo "no configured apt source has linux-source-6.12 (Debian 12 with bookworm-security, or Debian 13)" >&2
  exit 3
}
install_packages 3 linux-source-6.12 build-essential flex bison bc libelf-dev libssl-dev xz-utils cpio kmod \
  qemu-system-x86
