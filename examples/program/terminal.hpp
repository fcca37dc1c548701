// SPDX-License-Identifier: MIT
// What standard output and standard error are connected to.
#pragma once
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace program {

/// Is it a terminal that can show colours and rewrite its line?
inline bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return isatty(descriptor) != 0 && term != nullptr && std::string(term) != "dumb";
}
inline bool shows_colours() { return is_terminal(STDOUT_FILENO) && std::getenv("NO_COLOR") == nullptr; }
inline bool shows_true_colour() {
  const char* mode = std::getenv("COLORTERM");
  return mode != nullptr && (std::string(mode) == "truecolor" || std::string(mode) == "24bit");
}
/// Columns of the terminal, or `otherwise` where there is none or it does not say.
inline std::size_t terminal_columns(int descriptor, std::size_t otherwise) {
  winsize size{};
  return isatty(descriptor) != 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                                                 : otherwise;
}

/// To standard error. What cannot be written there is lost: there is nowhere left to say so.
inline void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace program
