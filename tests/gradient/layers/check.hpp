// SPDX-License-Identifier: MIT
// One line for a gradient check whose report explains a failure.
#pragma once
#include <doctest/doctest.h>

#include "trm/testing/gradient_check.hpp"

#define CHECK_GRADIENT(report)     \
  do {                             \
    const auto checked = (report); \
    INFO(checked.text());          \
    CHECK(checked.passed(1e-6));   \
  } while (false)
