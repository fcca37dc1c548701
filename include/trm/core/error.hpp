// SPDX-License-Identifier: MIT
// The one exception of the library.
#pragma once
#include <stdexcept>
#include <string>

namespace trm {

/// Bad input of any kind: a file, an option, a tensor of the wrong shape.
/// The message is one line that names the place (file, position, tensor) and, where there is one, the remedy:
///   `data/train/dataset.json: "seq_len" is missing`
/// What the compiler can know is a `static_assert` instead.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// `place: what`
  error(const std::string& place, const std::string& what) : std::runtime_error(place + ": " + what) {}
};

}  // namespace trm
