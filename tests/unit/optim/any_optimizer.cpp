// SPDX-License-Identifier: MIT
#include "trm/optim/any_optimizer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/throws.hpp"
#include "trm/backend/cpu/context.hpp"

namespace {

std::vector<float> stepped(const auto& optimizer) {
  trm::cpu::context<> device(1);
  std::vector<float> p{1, -2, 3}, m(3), v(3);
  const std::vector<float> g{0.5f, -0.25f, 4};
  optimizer.step(device, p.data(), m.data(), v.data(), g.data(), p.size(), {1e-2, 0.9, 0.95, 0.1, 1e-8, 1}, 1.0);
  return p;
}

}  // namespace

TEST_CASE("it steps as the one of its name") {
  CHECK(stepped(trm::any_optimizer()) == stepped(trm::adam_atan2()));
  CHECK(stepped(trm::any_optimizer("adam_atan2")) == stepped(trm::adam_atan2()));
  CHECK(stepped(trm::any_optimizer("adamw")) == stepped(trm::adamw()));
  CHECK(stepped(trm::adamw()) != stepped(trm::adam_atan2()));
  CHECK(std::string(trm::any_optimizer("adamw").name) == "adamw");
}

TEST_CASE("another name is refused") {
  trm_test::check_error([] { trm::any_optimizer("sgd"); }, "optimizer: there is none of this name: adam_atan2, adamw");
}
