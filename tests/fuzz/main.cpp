// SPDX-License-Identifier: MIT
// Runs a harness without libFuzzer: on every file of the folders and files given, and on fixed mutations of each.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

constexpr std::size_t positions = 200;  // of a file that are changed one by one
constexpr int random_changes = 300;     // of each file

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void mutate(const std::string& bytes, const std::string& other) {
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / positions);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    run(bytes.substr(0, at));
    for (const int mask : {0x01, 0x10, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ mask);
      run(changed);
    }
  }
  std::mt19937 rng(1);
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : rng() % n; };
  for (int i = 0; i < random_changes; ++i) {
    std::string changed = bytes;
    const std::size_t from = below(changed.size()), length = below(changed.size() - from);
    switch (i % 3) {
      case 0:
        changed.erase(from, length);
        break;
      case 1:
        changed.insert(from, bytes, below(bytes.size()), length);
        break;
      default:
        changed.replace(from, length, other, below(other.size()), length);
    }
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path given : std::vector<std::string>(argv + 1, argv + argc)) {
    if (std::filesystem::is_directory(given)) {
      for (const auto& entry : std::filesystem::directory_iterator(given)) files.push_back(entry.path());
    } else {
      files.push_back(given);
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) trm_fuzz::fail("no file is given");
  std::string before;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) trm_fuzz::fail("cannot open " + file.string());
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    run(bytes);
    mutate(bytes, before);
    before = bytes;
  }
  std::printf("%zu files and mutations of each\n", files.size());
}
