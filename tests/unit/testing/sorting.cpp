// SPDX-License-Identifier: MIT
// The program of the README sorts digits that it has not seen.
#include <doctest/doctest.h>

#define main sorting_main
#include "../../../examples/sorting.cpp"
#undef main

TEST_CASE("the first example learns to sort") { CHECK(sorting_main() == 0); }
