// SPDX-License-Identifier: MIT
// expect: must be a multiple
#include "trm/there/is/no/such_header.hpp"
static_assert(sizeof(int) == 0, "must be a multiple");
