# Sourced by the scripts that install Debian packages.

# install_packages STATUS PACKAGE...: installs those that are missing. Ends the script with STATUS where that takes root
# and there is none. A function check_sources, where there is one, is called before anything is installed.
install_packages() {
  local unprivileged=$1 missing=() package began
  shift
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" != 0 ]; then
    echo "missing packages (install them as root): ${missing[*]}" >&2
    exit "$unprivileged"
  fi
  export DEBIAN_FRONTEND=noninteractive
  began=$(date +%s)
  apt-get update -qq
  if declare -F check_sources >/dev/null; then check_sources; fi
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  echo "installed ${missing[*]} in $(($(date +%s) - began)) s"
}
