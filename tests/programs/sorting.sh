#!/bin/bash
# SPDX-License-Identifier: MIT
# The model of the README sorts digits that it has not seen.
set -euo pipefail
[ "$("$1" | tail -n 1)" = "1 1 2 3 4 5 6 9 " ]
