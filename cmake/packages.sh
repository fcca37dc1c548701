# SPDX-License-Identifier: MIT
# For scripts that install what is missing on Debian and Ubuntu. They set $log to a file before.

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }
has_apt() { command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; }
apt() {
  if [ "$(id -u)" = 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
  elif command -v sudo >/dev/null; then
    sudo -n DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
  else
    return 1
  fi </dev/null >>"$log" 2>&1
}
# The packages of a list that are not installed. A tool may have come from anywhere, a library is known by its package:
# tool:package stands for a package that is not needed where the tool is there.
missing_packages() {
  for name; do
    case $name in
      *:*) command -v "${name%%:*}" >/dev/null || printf ' %s' "${name#*:}" ;;
      *) installed "$name" || printf ' %s' "$name" ;;
    esac
  done
}
# What programs need to be built.
program_packages='cmake:cmake ninja:ninja-build libfmt-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev'
