#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The task of docs/tutorial_task.md is learned: the program fails below 90 % of unseen examples.
# Usage: tutorial_task.sh PROGRAM
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" "$work/a folder"
