#!/usr/bin/env bash
# Debian packages that the tests on a real kernel use. Does nothing where they are installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian-packages.sh"
# Without them, and without root, tests that need them are skipped.
install_packages 0 fuse3 fio git attr acl rsync tar bindfs gcc libc6-dev linux-libc-dev
