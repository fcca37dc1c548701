// SPDX-License-Identifier: MIT
// What the documentation shows is what is compiled, and what it points at is there.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path root = fs::path(__FILE__).parent_path() / ".." / ".." / "..";

/// The lines of a file without indentation.
std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t\r");
    lines.push_back(first == std::string::npos ? "" : line.substr(first, last - first + 1));
  }
  return lines;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found{root / "README.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

}  // namespace

TEST_CASE("every C++ block is a part of an example, or of the consumer for nvcc, that is compiled") {
  std::vector<std::vector<std::string>> sources;
  for (const auto& entry : fs::directory_iterator(root / "examples")) {
    if (entry.path().extension() == ".cpp") sources.push_back(lines_of(entry.path()));
  }
  sources.push_back(lines_of(root / "tests" / "consumer" / "cuda_component" / "main.cu"));
  REQUIRE(sources.size() >= 3);
  int blocks = 0;
  for (const fs::path& page : pages()) {
    const auto lines = lines_of(page);
    for (auto line = lines.begin(); line != lines.end(); ++line) {
      if (*line != "```cpp") continue;
      const auto end = std::find(line, lines.end(), "```");
      const std::vector<std::string> block(line + 1, end);
      INFO(page.filename().string(), ":", line - lines.begin() + 1, ": the block that begins with ", block.at(0));
      CHECK(std::any_of(sources.begin(), sources.end(), [&](const auto& source) {
        return std::search(source.begin(), source.end(), block.begin(), block.end()) != source.end();
      }));
      ++blocks;
    }
  }
  CHECK(blocks >= 6);
}

TEST_CASE("every file that is pointed at is there") {
  const std::regex link(R"(\]\(([^)#: ]+)(#[^)]*)?\))");
  for (const fs::path& page : pages()) {
    for (const std::string& line : lines_of(page)) {
      for (std::sregex_iterator at(line.begin(), line.end(), link), end; at != end; ++at) {
        const fs::path target = page.parent_path() / (*at)[1].str();
        CHECK_MESSAGE(fs::exists(target), page.filename().string(), " points at ", (*at)[1].str());
      }
    }
  }
}

TEST_CASE("the README fits") { CHECK(lines_of(root / "README.md").size() < 200); }
