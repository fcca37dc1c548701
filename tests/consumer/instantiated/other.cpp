// SPDX-License-Identifier: MIT
#include "tiny_models.hpp"

int other(int seed) { return first_prediction(seed); }
