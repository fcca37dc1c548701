// SPDX-License-Identifier: MIT
#include "everything.hpp"

#include "../model.hpp"

int first_prediction_of_the_other_unit(int seed);
const void* solver_of_the_other_unit();

int main() {
  for (int seed = 0; seed < 4; ++seed) {
    if (first_prediction(seed) != first_prediction_of_the_other_unit(seed)) return 1;
  }
  // One function, not one in each unit.
  return solver_of_the_other_unit() == reinterpret_cast<const void*>(&first_prediction) ? 0 : 1;
}
