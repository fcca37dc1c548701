#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing (Debian, Ubuntu), configures, builds, runs the tests and sums up. Says little about what is fine.
set -eu

usage() {
  cat <<'EOF'
usage: tests/run.sh [--compiler gcc|clang] [--sanitize] [--only GROUP,...] [--build-dir DIR] [--jobs N]
  --compiler    gcc (default) or clang
  --sanitize    with the address and undefined-behaviour sanitizers, without examples and benchmarks
  --only        only tests, of these groups: headers, compile_fail, consumer, static, gradient, unit, unit.io, ...
  --build-dir   default build/<compiler>[-sanitize]
  --jobs        default: the number of processors
TRM_DATA_DIR and TRM_REFERENCE_DIR name the folders with data; TRM_REQUIRE_DATA=1 makes missing data a failure.
EOF
}
stop() {
  echo "tests/run.sh: $1" >&2
  exit 2
}

compiler=gcc sanitize='' only='' build='' jobs=$(nproc)
while [ $# -gt 0 ]; do
  case $1 in
    --sanitize) sanitize=-sanitize; shift; continue ;;
    --help | -h) usage; exit 0 ;;
    --compiler | --only | --build-dir | --jobs) [ $# -ge 2 ] || stop "$1 needs a value" ;;
    *) usage >&2; stop "unknown argument: $1" ;;
  esac
  case $1 in
    --compiler) compiler=$2 ;;
    --only) only=$(printf %s "$2" | tr ',' ';') ;;
    --build-dir) build=$2 ;;
    --jobs) jobs=$2 ;;
  esac
  shift 2
done
case $compiler in
  gcc) cxx=g++ package=g++ ;;
  clang) cxx=clang++ package=clang ;;
  *) stop "--compiler is gcc or clang, not $compiler" ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
case $build in
  '') build=$root/build/$compiler$sanitize ;;
  /*) ;;
  *) build=$PWD/$build ;;
esac
mkdir -p "$build"
cd "$root"

# --- what is needed -------------------------------------------------------------------------------------------------------
log=$build/apt.log
. cmake/packages.sh
install_missing() {
  has_apt || return 0
  # shellcheck disable=SC2086
  required=$(missing_packages "$cxx:$package" $program_packages doctest-dev libbenchmark-dev)
  optional=$(missing_packages ccache:ccache pkg-config:pkg-config libdnnl-dev ocl-icd-opencl-dev libopenblas-openmp-dev \
    libopenmpi-dev openmpi-bin doxygen:doxygen python3-sphinx python3-breathe python3-myst-parser furo valgrind:valgrind)
  # Without its runtime clang links no sanitizer.
  [ "$compiler$sanitize" != clang-sanitize ] || [ -n "$(ls /usr/lib/llvm-*/lib/clang/*/lib/linux/*asan* 2>/dev/null)" ] ||
    required="$required libclang-rt-dev"
  [ -n "$required$optional" ] || return 0
  : >"$log"
  # What is optional was looked for once; it is not asked for again unless something required is missing too.
  [ -n "$required" ] || [ ! -e "$build/optional-tried" ] || return 0
  echo "installing:$required$optional"
  apt update || echo "apt-get update failed, see $log"
  # shellcheck disable=SC2086
  [ -z "$required" ] || apt install -y --no-install-recommends $required || {
    tail -n 5 "$log"
    echo "could not install:$required (going on, the configuration says what it cannot do without)"
  }
  for name in $optional; do
    apt install -y --no-install-recommends "$name" || echo "could not install $name (optional)"
  done
  : >"$build/optional-tried"
}
install_missing

# Conan is in no Debian: for the test of its recipe it is taken from PyPI into the build folder, if that is to be had at once.
install_conan() {
  case ";$only;" in ';;' | *';consumer;'* | *';consumer.conan;'*) ;; *) return 0 ;; esac
  ! command -v conan >/dev/null && [ ! -e "$build/conan-venv" ] && command -v python3 >/dev/null || return 0
  echo "installing: conan, in $build/conan-venv"
  { python3 -m venv "$build/conan-venv" &&
    "$build/conan-venv/bin/python" -m pip install -q --disable-pip-version-check --no-input --timeout 10 --retries 0 'conan>=2,<3'; } \
    >>"$log" 2>&1 </dev/null || echo "could not install conan (optional)"
}
[ "$compiler$sanitize" != gcc ] || install_conan

# Older ones do not even read the presets and say so in words that help nobody.
cmake_version=$(cmake --version | sed -n '1s/^[^0-9]*//p')
printf '%s\n' 3.25 "$cmake_version" | sort -VC || stop "CMake 3.25 or newer is needed, this is $cmake_version"

# --- configure and build ------------------------------------------------------------------------------------------------------
# What fine steps say is kept in a log and shown only where the step fails.
quietly() {
  log=$build/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null || { cat "$log"; return 1; }
}
preset=default programs=ON
[ -z "$sanitize" ] || preset=sanitize
[ -z "$sanitize$only" ] || programs=OFF
# What is compiled together takes half the time. Chosen tests, and all with clang, are compiled source by source, as by default.
unity=OFF
case $compiler$sanitize:$only in gcc: | *-sanitize:*) unity=ON ;; esac
launcher=$(command -v ccache || true)
quietly configure cmake --preset $preset -B "$build" -DCMAKE_CXX_COMPILER=$cxx \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DTRM_TEST_GROUPS="$only" -DTRM_UNITY=$unity -DTRM_BENCHMARK_OPTIONS=-O1 \
  -DTRM_BUILD_EXAMPLES=$programs -DTRM_BUILD_BENCHMARKS=$programs || stop "the configuration failed"
start=$(date +%s)
# Everything that builds is tested even where something does not, so that one run tells all there is to tell.
built=0
cmake --build "$build" --parallel "$jobs" -- --quiet -k 0 </dev/null >"$build/build.log" 2>&1 || built=1
cat "$build/build.log"
echo "$compiler$sanitize: build $(($(date +%s) - start)) s"

# --- test -------------------------------------------------------------------------------------------------------------------
tested=0
(cd "$build" && ctest --output-on-failure --parallel "$jobs" --no-tests=error </dev/null >"$build/ctest.log" 2>&1) || tested=1
if [ $tested != 0 ]; then
  # Without what passed, and without where a program that was not built has been looked for.
  grep -vE '^ +Start +[0-9]+: |[.]{3} +Passed +[0-9.]+ sec$|^Test project |^$|tests passed,|^Total Test time|^[^ ]*/[^ ]*$|^Looked in the ' \
    "$build/ctest.log" || true
fi

# What was not looked at, by name: what the configuration left out, and what a test says it wanted data for.
left_out=$(sed -nE 's/^-- ((test |trm::|examples: |benchmarks: |[^ ]+: skipped, ).*)/  \1/p' "$build/configure.log"
  awk '/^[0-9]+\/[0-9]+ Test: / { test = $3 }
       sub(/^.*MESSAGE: SKIPPED, /, "") { print "  test " test ": " $0 }' "$build/Testing/Temporary/LastTest.log" | sort -u)
[ -z "$left_out" ] || printf 'not looked at:\n%s\n' "$left_out"
grep -E '^Total Test time' "$build/ctest.log" || true
[ $built = 0 ] || echo "the build failed, see above"
grep -E '^[0-9]+% tests passed' "$build/ctest.log" || echo "0% tests passed, no summary from ctest"
[ $built = 0 ] && [ $tested = 0 ]
