#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The model of the README sorts digits that it has not seen.
# Usage: sorting.sh PROGRAM
set -euo pipefail
[ "$("$1" | tail -n 1)" = "1 1 2 3 4 5 6 9 " ]
