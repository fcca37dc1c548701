// SPDX-License-Identifier: MIT
// That an error says what is wrong.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "trm/core/error.hpp"

namespace trm_test {

/// The text of the trm::error that f throws; "(no error)" where it throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const trm::error& e) {
    return e.what();
  }
  return "(no error)";
}

/// Does f throw a one-line trm::error that has `words` in it?
template <class F>
void check_error(F f, std::string_view words) {
  const std::string text = error_of(f);
  INFO("error: ", text);
  INFO("wanted: ", std::string(words));
  CHECK(text.find(words) != std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
}

}  // namespace trm_test
