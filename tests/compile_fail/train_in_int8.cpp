// SPDX-License-Identifier: MIT
// expect: int8_product is for inference: train with cpu::builtin_product
#include "trm/backend/cpu/int8_product.hpp"

auto gradient = &trm::cpu::int8_product::accumulate<float, float>;
