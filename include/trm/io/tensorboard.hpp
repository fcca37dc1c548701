// SPDX-License-Identifier: MIT
// TensorBoard's event files: TFRecords of the protocol buffer tensorflow.Event (event.proto, summary.proto).
#pragma once
#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "trm/io/append_file.hpp"
#include "trm/io/crc32c.hpp"

namespace trm {
namespace detail {

/// A protocol buffer message in its binary form; fields are added under their numbers.
class protobuf {
 public:
  /// int32, int64, enum
  protobuf& integer(unsigned field, std::int64_t v) { return key(field, 0).varint(static_cast<std::uint64_t>(v)); }
  protobuf& real(unsigned field, double v) { return key(field, 1).fixed(std::bit_cast<std::uint64_t>(v), 8); }
  protobuf& real32(unsigned field, float v) { return key(field, 5).fixed(std::bit_cast<std::uint32_t>(v), 4); }
  protobuf& bytes(unsigned field, std::string_view v) {
    key(field, 2).varint(v.size());
    data_ += v;
    return *this;
  }
  protobuf& message(unsigned field, const protobuf& m) { return bytes(field, m.data_); }
  const std::string& data() const { return data_; }

 private:
  protobuf& key(unsigned field, unsigned wire_type) { return varint(field << 3 | wire_type); }
  protobuf& varint(std::uint64_t v) {
    for (; v > 127; v >>= 7) data_ += static_cast<char>(v | 128);
    data_ += static_cast<char>(v);
    return *this;
  }
  protobuf& fixed(std::uint64_t v, int size) {  // little-endian
    for (int i = 0; i < size; ++i) data_ += static_cast<char>(v >> 8 * i);
    return *this;
  }
  std::string data_;
};

/// TFRecord: length (8 bytes), its checksum, the data, its checksum.
inline std::string tfrecord(const std::string& data) {
  const auto little = [](std::uint64_t v, int size) {
    std::string s;
    for (int i = 0; i < size; ++i) s += static_cast<char>(v >> 8 * i);
    return s;
  };
  // Checksums are masked, so that a record may hold records.
  const auto checksum = [&](std::string_view bytes) { return little(std::rotr(crc32c(bytes), 15) + 0xa282ead8u, 4); };
  const std::string length = little(data.size(), 8);
  return length + checksum(length) + data + checksum(data);
}

}  // namespace detail

/// Seconds since 1970.
inline double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// A number or a text under a name.
using tensorboard_scalar = std::pair<std::string, double>;
using tensorboard_text = std::pair<std::string, std::string>;

/// An event file of its own in a folder that exists. `first_step`, in a folder that has some already: the writer's first
/// step; readers forget what earlier files say of this step and later ones.
/// Every record is there completely or not at all; a failure to write is a trm::error.
class tensorboard_writer {
 public:
  /// Begins an events file in `folder`; `first_step`, where a run goes on, tells viewers to forget what an earlier
  /// file has from there on.
  explicit tensorboard_writer(const std::filesystem::path& folder, std::optional<std::int64_t> first_step = {})
      : file_(folder / name_in(folder)) {
    write(event(0, wall_clock()).bytes(3, "brain.Event:2"));
    if (first_step) write(event(*first_step, wall_clock()).message(7, detail::protobuf().integer(1, 1)));  // START
  }

  const std::filesystem::path& path() const { return file_.path(); }  // of the events file

  /// Numbers of one step, at a time in seconds since 1970. They are stored as float32. Names are UTF-8.
  void scalars(std::int64_t step, double time, std::span<const tensorboard_scalar> values) {
    detail::protobuf summary;
    for (const auto& [tag, value] : values) {
      summary.message(1, detail::protobuf().bytes(1, tag).real32(2, static_cast<float>(value)));
    }
    if (!values.empty()) write(event(step, time).message(5, summary));
  }
  /// A text (Markdown), shown on the page Text.
  void text(std::string_view tag, std::string_view markdown, std::int64_t step = 0) {
    const detail::protobuf tensor = detail::protobuf().integer(1, dt_string).message(2, {}).bytes(8, markdown);
    write(event(step, wall_clock()).message(5, tensor_summary(tag, tensor, "text", {})));
  }
  /// The run's options, for the page HParams: numbers where they are some, else texts.
  void hparams(std::span<const tensorboard_scalar> numbers, std::span<const tensorboard_text> texts) {
    detail::protobuf session;
    const auto add = [&](const std::string& name, const detail::protobuf& value) {
      session.message(1, detail::protobuf().bytes(1, name).message(2, value));
    };
    for (const auto& [name, value] : numbers) add(name, detail::protobuf().real(2, value));
    for (const auto& [name, value] : texts) add(name, detail::protobuf().bytes(3, value));
    session.real(5, wall_clock());
    const std::string content = detail::protobuf().integer(1, 0).message(3, session).data();
    const detail::protobuf one = detail::protobuf().message(2, detail::protobuf().integer(1, 1));
    const detail::protobuf nothing = detail::protobuf().integer(1, dt_float).message(2, one);
    write(
        event(0, wall_clock()).message(5, tensor_summary("_hparams_/session_start_info", nothing, "hparams", content)));
  }
  /// What was written is on the disk and not only in its cache.
  void sync() const { file_.sync(); }

 private:
  static constexpr std::int64_t dt_float = 1, dt_string = 7;

  static detail::protobuf event(std::int64_t step, double time) {
    return detail::protobuf().real(1, time).integer(2, step);
  }
  static detail::protobuf tensor_summary(std::string_view tag, const detail::protobuf& tensor, std::string_view plugin,
                                         std::string_view content) {
    const detail::protobuf data = detail::protobuf().bytes(1, plugin).bytes(2, content);
    return detail::protobuf().message(
        1, detail::protobuf().bytes(1, tag).message(8, tensor).message(9, detail::protobuf().message(1, data)));
  }
  /// Readers take a folder's files in the order of their names, which begin with the time: ours is after all others,
  /// also where the clock was set back.
  static std::string name_in(const std::filesystem::path& folder) {
    constexpr std::string_view prefix = "events.out.tfevents.";
    std::int64_t seconds = static_cast<std::int64_t>(wall_clock());
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      const std::string name = entry.path().filename().string();
      std::int64_t there = 0;
      if (!name.starts_with(prefix)) continue;
      std::from_chars(name.data() + prefix.size(), name.data() + name.size(), there);
      if (there < 9'999'999'999) seconds = std::max(seconds, there + 1);
    }
    char host[65] = "";
    if (::gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') host[0] = 'x', host[1] = '\0';
    std::string name = std::to_string(seconds);
    name = std::string(prefix) + std::string(10 - std::min<std::size_t>(10, name.size()), '0') + name + ".";
    for (const char* c = host; *c != '\0'; ++c) {
      name += std::isalnum(static_cast<unsigned char>(*c)) != 0 || *c == '-' ? *c : '_';
    }
    return name + "." + std::to_string(::getpid()) + ".trm";
  }
  void write(const detail::protobuf& e) { file_.write(detail::tfrecord(e.data())); }

  append_file file_;
};

}  // namespace trm
