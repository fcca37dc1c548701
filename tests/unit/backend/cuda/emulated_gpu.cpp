// SPDX-License-Identifier: MIT
#include "support/emulated_gpu.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "trm/backend/cuda/block.hpp"

using namespace trm::cuda;

namespace {

/// What a kernel of the tests below may do wrong.
enum class mistake { none, barrier_left_out, returns_before_barrier, warps_diverge };

/// out[thread of all] = sum of the block's thread numbers, plus 1000 times the block's number.
struct sums {
  float* out;
  mistake what = mistake::none;

  template <class Block>
  TRM_HD void operator()(Block& b) const {
    float* parts = b.template shared<float>();
    if (what == mistake::returns_before_barrier && b.thread() == 3) return;
    if (what == mistake::warps_diverge && b.thread() == 3) b.sync();
    float sum;
    if (what == mistake::barrier_left_out) {
      parts[b.thread()] = static_cast<float>(b.thread());
      sum = parts[(b.thread() + 1) % b.threads()];  // of a thread that may not have come so far
    } else {
      sum = block_sum(b, static_cast<float>(b.thread()), parts);
    }
    out[b.index() * b.threads() + b.thread()] = sum + 1000.0f * static_cast<float>(b.index());
  }
};

constexpr int blocks = 4, threads = 64, count = blocks * threads;

std::vector<float> result(emulated_gpu& gpu, mistake what = mistake::none) {
  device_memory<emulated_gpu> memory(gpu, count * sizeof(float));
  gpu.launch(sums{memory.as<float>(), what}, blocks, threads, threads * sizeof(float));
  std::vector<float> v(count);
  gpu.copy_out(v.data(), memory.data(), memory.size());
  return v;
}

}  // namespace

TEST_CASE("blocks and threads compute the same in whatever order they run") {
  emulated_gpu in_order, shuffled({.order = 5});
  const std::vector<float> v = result(in_order);
  CHECK(v[0] == threads * (threads - 1) / 2);
  CHECK(v[count - 1] == 3000 + threads * (threads - 1) / 2);
  CHECK(v == result(shuffled));
}

TEST_CASE("a barrier that is missing, or that not all threads reach, is found") {
  emulated_gpu gpu;
  CHECK(std::isnan(result(gpu, mistake::barrier_left_out)[0]));
  CHECK_THROWS_WITH(result(gpu, mistake::returns_before_barrier),
                    doctest::Contains("a barrier that not all of its threads reach"));
  CHECK_THROWS_WITH(result(gpu, mistake::warps_diverge), doctest::Contains("33 wait for the block, 31 for their warp"));
}

TEST_CASE("fresh memory is NaN") {
  emulated_gpu gpu;
  device_memory<emulated_gpu> memory(gpu, sizeof(float));
  float v = 0;
  gpu.copy_out(&v, memory.data(), sizeof v);
  CHECK(std::isnan(v));
}

TEST_CASE("a graph does what was asked for when it is launched, and cannot hold everything") {
  emulated_gpu gpu;
  device_memory<emulated_gpu> memory(gpu, sizeof(float));
  const float one = 1;
  float v = 0;
  gpu.copy_in(memory.data(), &one, sizeof one);
  auto graph = gpu.capture([&] { gpu.clear(memory.data(), sizeof(float)); });
  gpu.copy_out(&v, memory.data(), sizeof v);
  CHECK(v == 1);
  for (int i = 0; i < 2; ++i) {
    gpu.copy_in(memory.data(), &one, sizeof one);
    graph.launch();
    gpu.copy_out(&v, memory.data(), sizeof v);
    CHECK(v == 0);
  }
  CHECK_THROWS_WITH(gpu.capture([&] { gpu.synchronize(); }), doctest::Contains("cannot be part of a captured graph"));
  CHECK_THROWS_WITH(gpu.capture([&] { gpu.allocate(8); }), doctest::Contains("cannot be part of a captured graph"));
  gpu.synchronize();  // the capture is over
}

TEST_CASE("copies ahead arrive where they are joined") {
  emulated_gpu gpu;
  device_memory<emulated_gpu> memory(gpu, sizeof(float));
  host_memory<emulated_gpu> given(gpu, sizeof(float));
  gpu.clear(memory.data(), sizeof(float));
  *given.as<float>() = 7;
  gpu.begin_ahead();
  gpu.copy_in_ahead(memory.data(), given.data(), sizeof(float));
  float v = 0;
  gpu.copy_out(&v, memory.data(), sizeof v);
  CHECK(v == 0);
  gpu.join_ahead();
  gpu.copy_out(&v, memory.data(), sizeof v);
  CHECK(v == 7);
}

TEST_CASE("launches that a GPU refuses are refused") {
  emulated_gpu gpu;
  CHECK_THROWS_WITH(gpu.launch(empty_kernel{}, 0, 32, 0), doctest::Contains("0 blocks of 32 threads"));
  CHECK_THROWS_WITH(gpu.launch(empty_kernel{}, 1, 33, 0), doctest::Contains("33 threads"));
  CHECK_THROWS_WITH(gpu.launch(empty_kernel{}, 1, 32, 1 << 20), doctest::Contains("1048576 bytes"));
}
