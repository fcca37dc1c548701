#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The memory plan that docs/concepts.md shows is the one of today.
# Usage: plan_drawing.sh PROGRAM
set -euo pipefail
"$1" | cmp - "$(dirname "$0")/../../docs/images/memory_plan.svg"
