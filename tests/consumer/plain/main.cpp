// SPDX-License-Identifier: MIT
// Training and answers with trm::trm alone.
#include "../model.hpp"

int main() {
  const int token = first_prediction(0);
  return token >= 0 && token < tiny_configuration.vocab && token == first_prediction(0) ? 0 : 1;
}
