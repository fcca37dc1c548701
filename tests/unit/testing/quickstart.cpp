// SPDX-License-Identifier: MIT
// The program of the README sorts digits that it has not seen.
#include <doctest/doctest.h>

#define main quickstart_main
#include "../../../examples/quickstart.cpp"
#undef main

TEST_CASE("the quickstart learns to sort") { CHECK(quickstart_main() == 0); }
