// SPDX-License-Identifier: MIT
// Schedules that nobody published: where gradients wait, where a state is overwritten after a late reader, where nobody
// reads a result.
#include <array>

#include "gradient/compose/recursion.hpp"
#include "gradient/layers/check.hpp"
#include "trm/layers/linear.hpp"
#include "trm/layers/mlp.hpp"
#include "trm/layers/post_norm.hpp"

using trm::application;
using trm_test::check_recursion;

namespace {

constexpr trm::shape input{3, 4};
using net = trm::post_norm<trm::mlp<6>>;
using other_net = trm::linear<4, trm::bias::zero>;

/// Values read by the application after the next one and by two later ones; states overwritten in between; two networks
/// out of turn; a first application without a gradient.
struct late_readers {
  static constexpr std::array states{"A", "B", "C"};
  static constexpr std::array nets{"first", "second"};
  static constexpr int output = 0;
  static constexpr std::array applications{
      application{0, 2, 0b001, 0b010, true, false},  // C = first(A + B + x)
      application{0, 1, 0b001, 0b000, true, true},   // B = first(A + x)
      application{1, 2, 0b010, 0b001, false, true},  // C = second(B + A)
      application{0, 0, 0b100, 0b000, false, true},  // A = first(C)
      application{1, 1, 0b010, 0b001, true, true},   // B = second(B + A + x): the old B, written three before
      application{1, 2, 0b001, 0b000, false, true},  // C = second(A): does not read what was written just before
      application{0, 0, 0b001, 0b110, false, true},  // A = first(A + (B + C))
  };
};

/// Results that nobody reads before they are overwritten, or at all, and one of them the only one that reads x.
struct unread_results {
  static constexpr std::array states{"A", "B"};
  static constexpr std::array nets{"first"};
  static constexpr int output = 0;
  static constexpr std::array applications{
      application{0, 0, 0b01, 0b00, false, true},  // A = f(A)
      application{0, 1, 0b01, 0b10, true, true},   // B = f(A + B + x): overwritten unread
      application{0, 1, 0b01, 0b00, false, true},  // B = f(A)
      application{0, 1, 0b10, 0b01, false, true},  // B = f(B + A): read by nobody
      application{0, 0, 0b01, 0b00, false, true},  // A = f(A)
  };
};

/// An application that nobody reads between a result and its only reader.
struct unread_between {
  static constexpr std::array states{"A", "B"};
  static constexpr std::array nets{"first", "second"};
  static constexpr int output = 0;
  static constexpr std::array applications{
      application{0, 0, 0b01, 0b00, true, true},   // A = first(A + x)
      application{1, 1, 0b10, 0b00, false, true},  // B = second(B): does not read A, and nobody reads it
      application{0, 0, 0b01, 0b00, true, true},   // A = first(A + x)
  };
};

}  // namespace

TEST_CASE("results that are read late") {
  CHECK_GRADIENT((check_recursion<late_readers, input, net>()));
  CHECK_GRADIENT((check_recursion<late_readers, input, net, other_net>()));
}

TEST_CASE("results that nobody reads") { CHECK_GRADIENT((check_recursion<unread_results, input, net>())); }

TEST_CASE("a result that nobody reads between a result and its reader") {
  CHECK_GRADIENT((check_recursion<unread_between, input, net, other_net>()));
}
