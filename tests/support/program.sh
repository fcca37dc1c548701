# SPDX-License-Identifier: MIT
# For tests of a program from outside (tests/programs/*.sh): its path is the script's argument. Works in a temporary folder,
# without the options that the environment may hold; counts in $failures what was not as expected.
set -u
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset "${!TRM_@}"
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}
# succeeds NAME ARGUMENT...
succeeds() {
  local name=$1
  shift
  if ! "$program" "$@" >out.txt 2>err.txt </dev/null; then
    fail "$name: $(tail -n 1 err.txt)"
    return 1
  fi
}
# refuses STATUS PATTERN ARGUMENT...: exit status, one line on standard error that matches, nothing on standard output
refuses() {
  local status=$1 pattern=$2
  shift 2
  "$program" "$@" >out.txt 2>err.txt </dev/null
  local found=$?
  [ "$found" -eq "$status" ] || fail "$*: exit status $found instead of $status: $(cat err.txt)"
  [ "$(wc -l <err.txt)" -eq 1 ] || fail "$*: $(wc -l <err.txt) lines on standard error instead of one: $(cat err.txt)"
  grep -Eq -- "$pattern" err.txt || fail "$*: \"$(cat err.txt)\" does not match \"$pattern\""
  [ -s out.txt ] && fail "$*: something on standard output"
}
# waits_for SECONDS COMMAND...: until it succeeds
waits_for() {
  local tries=$(($1 * 20))
  shift
  until "$@" 2>/dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.05
  done
}
# ends PROCESS: waits for a program in the background; $status is its exit status. One that does not end within two minutes is killed.
ends() {
  waits_for 120 gone "$1" || {
    fail "does not end: $(tail -n 1 err.txt)"
    kill -KILL "$1"
  }
  wait "$1"
  status=$?
}
gone() { ! kill -0 "$1"; }
contains() { grep -Eq -- "$2" "$1" || fail "$1 does not contain $2: $(head -c 300 "$1")"; }
lacks() { grep -Eq -- "$2" "$1" && fail "$1 contains $2"; }
same() { cmp -s "$1" "$2" || fail "$3: $1 and $2 differ"; }
is_json() {
  if command -v python3 >python.txt; then
    python3 -c 'import json, sys; [json.loads(l) for l in open(sys.argv[1])]' "$1" 2>err.txt || fail "$1 is not JSON: $(tail -n 1 err.txt)"
  fi
}
