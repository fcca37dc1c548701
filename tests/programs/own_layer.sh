#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The layer of docs/tutorial_layer.md: its gradients are right, and a model with it learns.
# Usage: own_layer.sh PROGRAM
set -euo pipefail
output=$("$1")
echo "$output"
[ "$(grep -c " right: " <<<"$output")" = 4 ]
