// SPDX-License-Identifier: MIT
static_assert(sizeof(int) == 0, "nobody expects this");
