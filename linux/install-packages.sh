#!/usr/bin/env bash
# Debian packages that building and booting the test kernel uses. Does nothing where they are installed.
# linux-source-6.12 is in Debian 12's security suite (which the release's default sources have) and in Debian 13.
set -euo pipefail
packages=(linux-source-6.12 build-essential flex bison bc libelf-dev libssl-dev xz-utils cpio kmod qemu-system-x86)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo "missing packages (install them as root): ${missing[*]}" >&2
  exit 3
fi
export DEBIAN_FRONTEND=noninteractive
began=$(date +%s)
apt-get update -qq
if ! apt-cache show linux-source-6.12 >/dev/null 2>&1; then
  echo "no configured apt source has linux-source-6.12 (Debian 12 with bookworm-security, or Debian 13)" >&2
  exit 3
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "installed ${missing[*]} in $(($(date +%s) - began)) s"
