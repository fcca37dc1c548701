// SPDX-License-Identifier: MIT
// expect: the second of two
static_assert(sizeof(int) == 0, "the first of two");
static_assert(sizeof(int) == 0, "the second of two");
