// SPDX-License-Identifier: MIT
#include "trm/io/zip.hpp"

#include <doctest/doctest.h>

#include "support/corruption.hpp"
#include "support/python.hpp"
#include "support/throws.hpp"
#include "support/zip_bytes.hpp"

namespace {

using trm_test::zip_bytes;

std::span<const std::byte> span_of(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }
std::string text(const trm::zip_archive& zip, const std::string& name) {
  const trm::zip_entry* entry = zip.find(name);
  REQUIRE(entry != nullptr);
  return {reinterpret_cast<const char*>(entry->bytes.data()), entry->bytes.size()};
}
/// What opening and verifying says.
std::string opening(const std::string& bytes) {
  return trm_test::error_of([&] {
    const trm::zip_archive zip(span_of(bytes), "f");
    for (const auto& [name, unused] : zip.entries()) zip.verify(name);
  });
}

TEST_CASE("stored entries are views of the archive; padding, a comment and zip64 are read") {
  for (const bool zip64 : {false, true}) {
    const std::string bytes =
        zip_bytes({{.name = "a/data.pkl", .bytes = "hello", .zip64 = zip64},
                   {.name = "a/data/0", .bytes = std::string(100, 'x'), .padding = 27, .zip64 = zip64},
                   {.name = "empty", .bytes = ""}},
                  {.comment = "PK\5\6 a comment", .zip64 = zip64});
    REQUIRE(opening(bytes) == "(no error)");
    const trm::zip_archive zip(span_of(bytes), "f");
    CHECK(zip.entries().size() == 3);
    CHECK(text(zip, "a/data.pkl") == "hello");
    CHECK(text(zip, "a/data/0") == std::string(100, 'x'));
    CHECK(text(zip, "empty").empty());
    CHECK(zip.find("b") == nullptr);
    const auto* at = reinterpret_cast<const char*>(zip.find("a/data.pkl")->bytes.data());
    CHECK((at > bytes.data() && at < bytes.data() + bytes.size()));
    CHECK(trm::zip_archive::is_one(span_of(bytes)));
  }
  CHECK(trm::zip_archive::is_one(span_of(zip_bytes({}))));
  CHECK(opening(zip_bytes({})) == "(no error)");
  CHECK(!trm::zip_archive::is_one(span_of("PK\1\2....")));
}

TEST_CASE("what is not read is refused with entry and remedy") {
  using trm_test::zip_part;
  const auto one = [](zip_part p) {
    p.name = "a", p.bytes = "12345678";
    return opening(zip_bytes({p}));
  };
  REQUIRE(one({}) == "(no error)");
  CHECK(
      one({.method = 8}) ==
      "f: entry a: compressed (method 8): torch.save stores without compression; unpack and pack it again with zip -0");
  CHECK(one({.flags = 1}) == "f: entry a: encrypted: save it without a password");
  CHECK(one({.crc_change = 1}) == "f: entry a: damaged: its CRC-32 is another one (copy the file again)");
  CHECK(one({.size_change = 1000}) == "f: entry a: damaged: stored, but of 8 bytes here and 1008 there");
  CHECK(one({.size_change = 1000, .compressed_change = 1000}) == "f: entry a: lies outside the file (is it cut off?)");
  CHECK(one({.size_change = 10, .compressed_change = 10}) == "f: entry a: overlaps the central directory");
  CHECK(one({.offset_change = 100000}) == "f: entry a: lies outside the file (is it cut off?)");
  CHECK(one({.offset_change = 1}) == "f: entry a: damaged: no header where it should begin");
  CHECK(one({.local_name = "b"}) == "f: entry a: damaged: its header and the central directory disagree");
  CHECK(one({.offset_change = -1, .zip64 = true}) == "f: entry a: lies outside the file (is it cut off?)");
  CHECK(one({.size_change = -9, .compressed_change = -9, .zip64 = true}) ==
        "f: entry a: lies outside the file (is it cut off?)");
  CHECK(opening(zip_bytes({{.name = "a", .bytes = "1"}, {.name = "a", .bytes = "2"}})) == "f: entry a: occurs twice");
  CHECK(opening("PK") == "f: cut off: shorter than the end of a zip archive");
  const std::string good = zip_bytes({{.name = "a", .bytes = "1"}});
  CHECK(opening(good.substr(0, good.size() - 1)) ==
        "f: cut off: the end of its zip archive is missing (copy the file again)");
  CHECK(opening("#!/bin/sh\n" + good).find("f: damaged: its central directory is not where it should be") == 0);
  CHECK(opening(zip_bytes({{.name = "a", .bytes = "1"}}, {.entries_change = 1})) ==
        "f: damaged: its central directory ends early");
  CHECK(opening(zip_bytes({{.name = "a", .bytes = "1"}}, {.entries_change = -1})) ==
        "f: its central directory has more than the 0 entries it says");
  CHECK(opening(zip_bytes({}, {.disk = 1})) == "f: a zip archive in several parts: join them first");
}

TEST_CASE("a bomb: many entries of the same bytes, and one archive within another") {
  // The first entry's data are the second entry, header and all, as in a bomb that overlaps.
  const std::string inner = zip_bytes({{.name = "b", .bytes = std::string(1000, 'x')}});
  const std::string inner_entry = inner.substr(0, 30 + 1 + 1000);
  std::vector<trm_test::zip_part> parts{{.name = "a", .bytes = inner_entry},
                                        {.name = "b", .bytes = std::string(1000, 'x')}};
  std::string bytes = zip_bytes(parts);
  const std::size_t second = bytes.rfind("PK\1\2");
  bytes.replace(second + 42, 4, trm_test::little_endian(31, 4));  // the offset of b: within the data of a
  CHECK(opening(bytes) == "f: entry a: overlaps b");
}

TEST_CASE("Python's zipfile agrees") {
  if (!trm_test::python_has("zipfile")) return;
  const trm_test::temporary_folder folder;
  trm_test::put(folder / "ours.zip",
                zip_bytes({{.name = "a", .bytes = "hello", .padding = 20}, {.name = "b", .bytes = "", .zip64 = true}},
                          {.comment = "c", .zip64 = true}));
  CHECK(trm_test::run_python(folder.path(), R"(
import zipfile
ours = zipfile.ZipFile('ours.zip')
assert ours.testzip() is None and ours.namelist() == ['a', 'b'] and ours.read('a') == b'hello'
with zipfile.ZipFile('theirs.zip', 'w') as z:
    z.writestr('x', b'1' * 1000)
    with z.open('y', 'w', force_zip64=True) as f: f.write(b'22')
with zipfile.ZipFile('deflated.zip', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('x', b'1' * 1000)
)"));
  const std::string theirs = trm_test::get(folder / "theirs.zip");
  CHECK(opening(theirs) == "(no error)");
  CHECK(text(trm::zip_archive(span_of(theirs), "f"), "y") == "22");
  CHECK(opening(trm_test::get(folder / "deflated.zip")).find("f: entry x: compressed (method 8)") == 0);
}

TEST_CASE("arbitrary bytes give entries or a trm::error") {
  const std::string good =
      zip_bytes({{.name = "a", .bytes = "hello", .padding = 9}, {.name = "b", .bytes = "xy", .zip64 = true}},
                {.comment = "c", .zip64 = true});
  const auto counts = trm_test::corrupt(good, [](const std::string& bytes) {
    const trm::zip_archive zip(span_of(bytes), "f");
    for (const auto& [name, entry] : zip.entries()) zip.verify(name);
  });
  CHECK(counts.accepted > 50);
  CHECK(counts.refused > 500);
}

}  // namespace
