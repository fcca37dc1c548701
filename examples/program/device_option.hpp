// SPDX-License-Identifier: MIT
// --device, the same for every command that computes with a model.
#pragma once
#include <CLI/CLI.hpp>

#include "device.hpp"
#include "terminal.hpp"

namespace program {

/// Says so where `threads` were asked for and a GPU computes, which has no use for them.
inline void warn_of_threads(int threads) {
  if (threads > 0 && chosen_device() != "cpu") say("--threads means nothing with --device cuda\n");
}

/// Says what computes; chosen_device() knows it then.
inline void add_device_option(CLI::App& command) {
  command
      .add_option("--device", detail::asked_device(),
                  "cpu or cuda; auto: the GPU where there is one and the program was built for it")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
}

}  // namespace program
