// SPDX-License-Identifier: MIT
// The library's own products: packed operands, register tiles, an instruction set chosen at run time.
#pragma once
#include "trm/backend/cpu/reference_product.hpp"

namespace trm::cpu {

struct builtin_product : reference_product {};

static_assert(product_provider<builtin_product>);

}  // namespace trm::cpu
