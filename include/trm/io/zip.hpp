// SPDX-License-Identifier: MIT
// Zip archives whose entries are stored, not compressed (PKWARE APPNOTE 6.3), as torch.save writes them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/crc32.hpp"
#include "trm/io/json.hpp"

namespace trm {

/// One file of an archive. Its bytes are in the archive.
struct zip_entry {
  std::span<const std::byte> bytes;
  std::uint32_t crc32 = 0;  // of the bytes, as the archive says
};

/// The entries of an archive in memory, which must outlive this. Reads what PyTorch writes and zip -0 too: a central
/// directory, its zip64 form, data descriptors, padding in extra fields, a comment. Everything that is read lies within
/// the archive, and no byte of it belongs to two entries: nothing can be larger than the file is.
class zip_archive {
 public:
  /// Do the bytes begin as an archive does?
  static bool is_one(std::span<const std::byte> all) {
    return all.size() >= 4 && (number<4>(all, 0) == local_signature || number<4>(all, 0) == end_signature);
  }
  /// `place` names the file in messages. Throws `PLACE: entry NAME: ...` where an entry is compressed or encrypted, occurs twice,
  /// overlaps another or lies outside, and where the archive is cut off, in several parts or has something in front.
  zip_archive(std::span<const std::byte> all, std::string place) : all_(all), place_(std::move(place)) {
    const directory d = find_directory();
    std::vector<region> regions{{d.offset, all_.size(), "the central directory"}};
    std::uint64_t at = d.offset;
    for (std::uint64_t i = 0; i < d.entries; ++i) read_entry(at, d.end, regions);
    if (at != d.end) fail("its central directory has more than the " + std::to_string(d.entries) + " entries it says");
    check_overlaps(std::move(regions));
  }

  const std::map<std::string, zip_entry>& entries() const { return entries_; }  // by name
  /// The entry of that name; null where there is none.
  const zip_entry* find(const std::string& name) const {
    const auto at = entries_.find(name);
    return at == entries_.end() ? nullptr : &at->second;
  }
  /// Throws where the entry's bytes are not those that its CRC-32 was made of.
  void verify(const std::string& name) const {
    const zip_entry* entry = find(name);
    if (entry != nullptr && trm::crc32(entry->bytes) != entry->crc32) {
      fail_entry(name, "damaged: its CRC-32 is another one (copy the file again)");
    }
  }

 private:
  static constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50,
                                 end_signature = 0x06054b50, end64_signature = 0x06064b50,
                                 locator_signature = 0x07064b50;
  static constexpr std::uint64_t local_size = 30, central_size = 46, end_size = 22, end64_size = 56, locator_size = 20;
  static constexpr std::uint64_t in_zip64 = 0xffffffff;  // stands for a number that the zip64 field has

  struct directory {
    std::uint64_t entries = 0, offset = 0, end = 0;
  };
  struct region {
    std::uint64_t begin = 0, end = 0;
    std::string name;
  };
  struct header {
    std::string name;
    std::uint64_t flags = 0, method = 0, crc = 0, compressed = 0, size = 0, offset = 0;
  };

  template <int Bytes>
  static std::uint64_t number(std::span<const std::byte> from, std::uint64_t at) {
    std::uint64_t v = 0;
    for (int i = Bytes - 1; i >= 0; --i)
      v = v << 8 | std::to_integer<std::uint64_t>(from[at + static_cast<unsigned>(i)]);
    return v;
  }
  template <int Bytes>
  std::uint64_t get(std::uint64_t at) const {
    return number<Bytes>(all_, at);
  }
  bool within(std::uint64_t at, std::uint64_t length, std::uint64_t end) const {
    return at <= end && length <= end - at;
  }
  std::string text(std::uint64_t at, std::uint64_t length) const {
    return {reinterpret_cast<const char*>(all_.data()) + at, static_cast<std::size_t>(length)};
  }
  [[noreturn]] void fail(const std::string& what) const { throw error(place_, what); }
  [[noreturn]] void fail_entry(const std::string& name, const std::string& what) const {
    throw error(place_ + ": entry " + detail::printable(name, 200), what);
  }

  /// The end record is the last thing of the file, but for a comment of at most 65535 bytes.
  directory find_directory() const {
    if (all_.size() < end_size) fail("cut off: shorter than the end of a zip archive");
    const std::uint64_t last = all_.size() - end_size, first = last > 65535 ? last - 65535 : 0;
    std::uint64_t at = last;
    while (get<4>(at) != end_signature || get<2>(at + 20) != last - at) {
      if (at == first) fail("cut off: the end of its zip archive is missing (copy the file again)");
      --at;
    }
    directory d{get<2>(at + 10), get<4>(at + 16), at};
    std::uint64_t size = get<4>(at + 12);
    bool parts = get<2>(at + 4) != 0 || get<2>(at + 6) != 0 || get<2>(at + 8) != d.entries;
    if (at >= locator_size && get<4>(at - locator_size) == locator_signature) {
      const std::uint64_t record = get<8>(at - locator_size + 8);
      if (!within(record, end64_size, at - locator_size) || get<4>(record) != end64_signature) {
        fail("damaged: no zip64 end record where it should be");
      }
      parts = get<4>(record + 16) != 0 || get<4>(record + 20) != 0 || get<8>(record + 24) != get<8>(record + 32);
      d = {get<8>(record + 32), get<8>(record + 48), record};
      size = get<8>(record + 40);
    }
    if (parts) fail("a zip archive in several parts: join them first");
    if (d.offset > d.end || d.end - d.offset != size) {
      fail("damaged: its central directory is not where it should be (is something in front of the archive?)");
    }
    return d;
  }

  /// One record of the central directory; moves `at` behind it.
  void read_entry(std::uint64_t& at, std::uint64_t end, std::vector<region>& regions) {
    if (!within(at, central_size, end) || get<4>(at) != central_signature) {
      fail("damaged: its central directory ends early");
    }
    header h{{}, get<2>(at + 8), get<2>(at + 10), get<4>(at + 16), get<4>(at + 20), get<4>(at + 24), get<4>(at + 42)};
    const std::uint64_t name = get<2>(at + 28), extra = get<2>(at + 30), comment = get<2>(at + 32);
    if (!within(at + central_size, name + extra + comment, end)) fail("damaged: its central directory ends early");
    h.name = text(at + central_size, name);
    read_zip64(h, at + central_size + name, extra);
    at += central_size + name + extra + comment;
    check_kind(h);
    const std::span<const std::byte> bytes = find_bytes(h);
    if (!entries_.emplace(h.name, zip_entry{bytes, static_cast<std::uint32_t>(h.crc)}).second) {
      fail_entry(h.name, "occurs twice");
    }
    const auto data_end = static_cast<std::uint64_t>(bytes.data() + bytes.size() - all_.data());
    regions.push_back({h.offset, data_end, h.name});
  }
  void check_kind(const header& h) const {
    if (h.flags & 0x2041) fail_entry(h.name, "encrypted: save it without a password");  // bits 0, 6, 13
    if (h.method != 0) {
      fail_entry(h.name, "compressed (method " + std::to_string(h.method) +
                             "): torch.save stores without compression; unpack and pack it again with zip -0");
    }
    if (h.compressed != h.size) {
      fail_entry(h.name, "damaged: stored, but of " + std::to_string(h.compressed) + " bytes here and " +
                             std::to_string(h.size) + " there");
    }
  }
  /// The extra field 1 has, in this order, those of size, compressed size and offset that the record has no room for.
  void read_zip64(header& h, std::uint64_t at, std::uint64_t length) const {
    const std::uint64_t end = at + length;
    while (within(at, 4, end)) {
      const std::uint64_t id = get<2>(at), size = get<2>(at + 2);
      at += 4;
      if (!within(at, size, end)) fail_entry(h.name, "damaged: its extra field is cut off");
      if (id == 1) {
        std::uint64_t field = at;
        for (std::uint64_t* value : {&h.size, &h.compressed, &h.offset}) {
          if (*value != in_zip64) continue;
          if (!within(field, 8, at + size)) fail_entry(h.name, "damaged: its zip64 field is cut off");
          *value = get<8>(field);
          field += 8;
        }
      }
      at += size;
    }
  }
  /// The data behind the local header, which must say what the central directory says.
  std::span<const std::byte> find_bytes(const header& h) const {
    if (!within(h.offset, local_size, all_.size())) fail_entry(h.name, "lies outside the file (is it cut off?)");
    if (get<4>(h.offset) != local_signature) fail_entry(h.name, "damaged: no header where it should begin");
    const std::uint64_t name = get<2>(h.offset + 26), extra = get<2>(h.offset + 28);
    const std::uint64_t data = h.offset + local_size + name + extra;
    if (!within(data, h.size, all_.size())) fail_entry(h.name, "lies outside the file (is it cut off?)");
    if (text(h.offset + local_size, name) != h.name || get<2>(h.offset + 6) != h.flags ||
        get<2>(h.offset + 8) != h.method) {
      fail_entry(h.name, "damaged: its header and the central directory disagree");
    }
    return all_.subspan(static_cast<std::size_t>(data), static_cast<std::size_t>(h.size));
  }
  void check_overlaps(std::vector<region> regions) const {
    std::sort(regions.begin(), regions.end(),
              [](const region& a, const region& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    for (std::size_t i = 1; i < regions.size(); ++i) {
      if (regions[i].begin < regions[i - 1].end)
        fail_entry(regions[i - 1].name, "overlaps " + detail::printable(regions[i].name, 200));
    }
  }

  std::span<const std::byte> all_;
  std::string place_;
  std::map<std::string, zip_entry> entries_;
};

}  // namespace trm
