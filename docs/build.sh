#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the documentation as a site of HTML pages: docs/build.sh [OUTPUT]. The default is build/site; the start is OUTPUT/index.html.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/build/site}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TRM_SITE="$root/docs/site" TRM_XML="$work/doxygen/xml" PYTHONDONTWRITEBYTECODE=1

# Debian's Sphinx lives with Debian's Python, which need not be the first of PATH.
missing=''
python=python3
[ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
command -v doxygen >/dev/null || missing="$missing doxygen"
for module in sphinx:python3-sphinx breathe:python3-breathe myst_parser:python3-myst-parser furo:furo; do
  "$python" -c "import importlib.util as u, sys; sys.exit(u.find_spec('${module%%:*}') is None)" || missing="$missing ${module#*:}"
done
if [ -n "$missing" ]; then
  echo "SKIPPED: the site needs Debian packages: apt install --no-install-recommends$missing" >&2
  exit 2
fi

"$python" "$root/docs/site/stage.py" "$work"
"$python" -m sphinx -b html -W --keep-going -q -j 2 -c "$root/docs/site" -d "$work/doctrees" "$work/pages" "$out"
echo "$out/index.html"
