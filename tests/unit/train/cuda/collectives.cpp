// SPDX-License-Identifier: MIT
#include "trm/train/cuda/collectives.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "support/emulated_gpu.hpp"
#include "support/thread_ranks.hpp"
#include "trm/train/cuda/trainer.hpp"
#include "unit/train/data_parallel_checks.hpp"

namespace {

using trm_test::parallel_run;
using trm_test::thread_ranks;
struct gpu : trm::cuda::emulated_gpu {
  gpu() : emulated_gpu({.guarded = false}) {}
};

/// Ranks that send memory of the device in the order of its work, as NCCL does: on the emulated device a kernel can do it.
class device_ranks {
 public:
  explicit device_ranks(thread_ranks::communicator& c) : host_(c) {}
  int rank() const { return host_.rank(); }
  int size() const { return host_.size(); }
  void exchange(std::span<const trm::outgoing> out, std::span<const trm::incoming> in) { host_.exchange(out, in); }
  void abort(std::string_view) {}
  void enqueue(std::span<const trm::outgoing> out, std::span<const trm::incoming> in, gpu& device) {
    kept_.push_back(std::make_unique<messages>(messages{{out.begin(), out.end()}, {in.begin(), in.end()}}));
    device.launch(send_kernel{&host_, kept_.back().get()}, 1, trm::cuda::warp_size, 0);
  }
  void finish(gpu& device, const gpu::mark&) { device.synchronize(); }

 private:
  struct messages {
    std::vector<trm::outgoing> out;
    std::vector<trm::incoming> in;
  };
  struct send_kernel {
    thread_ranks::communicator* host;
    const messages* m;
    template <class Block>
    void operator()(Block& b) const {
      if (b.thread() == 0) host->exchange(m->out, m->in);
    }
  };
  thread_ranks::communicator& host_;
  std::vector<std::unique_ptr<messages>> kept_;  // a graph may have them
};
static_assert(trm::cuda::device_communicator<device_ranks, gpu>);
static_assert(!trm::cuda::device_communicator<thread_ranks::communicator, gpu>);

constexpr int steps = 3;  // operation by operation, captured, replayed

template <class Communicator>
parallel_run run(Communicator& c, int parts) {
  gpu device;
  trm::cuda::context<gpu> cuda(device);
  trm::trainer<trm_test::parallel_model, trm::adam_atan2, trm::cuda::context<gpu>, Communicator> t(
      cuda, trm_test::parallel_options(parts), c);
  parallel_run r = trm_test::train_parallel(t, c.rank(), steps);
  CHECK(t.captured());
  return r;
}

/// What `size` ranks leave, and with what each of them has seen of halting, in the order of the samples.
template <class Wrap>
std::vector<parallel_run> run_ranks(int size, Wrap wrap) {
  std::vector<parallel_run> runs(static_cast<std::size_t>(size));
  thread_ranks::run(size, [&](auto& c) {
    auto communicator = wrap(c);
    runs[static_cast<std::size_t>(c.rank())] = run(communicator, 1);
  });
  return runs;
}

void check_same(const std::vector<parallel_run>& ranks, const parallel_run& alone) {
  for (const parallel_run& r : ranks) {
    CHECK(r.parameters == alone.parameters);
    CHECK(r.ema == alone.ema);
    CHECK(r.table == alone.table);
    CHECK(r.losses == alone.losses);
    CHECK(r.norms == alone.norms);
    CHECK(r.counts == alone.counts);
  }
  CHECK(ranks[0].dense == alone.dense);
  CHECK(ranks[0].per_sample == alone.per_sample);
}

}  // namespace

TEST_CASE("two devices leave the bits of one that sums two parts, whichever way they send") {
  trm::single_process one;
  const parallel_run alone = run(one, 2);
  check_same(run_ranks(2, [](auto& c) { return device_ranks(c); }), alone);
  check_same(run_ranks(2, [](auto& c) { return thread_ranks::communicator(c); }), alone);
}

TEST_CASE("sums in the order of ranks, of counts that the ranks do not divide, and gathering") {
  constexpr std::size_t n = 10;
  const auto check = [&](auto wrap) {
    thread_ranks::run(3, [&](auto& c) {
      auto communicator = wrap(c);
      gpu device;
      trm::cuda::device_collectives group(device, communicator, n * sizeof(float), 6 * sizeof(int));
      trm::cuda::mirror<gpu> values(device, n * sizeof(float)), all(device, 6 * sizeof(int));
      const auto value = [](int rank, std::size_t i) {
        return i == 0 ? 1e8f * static_cast<float>(1 - rank) : static_cast<float>(rank) + 0.1f * static_cast<float>(i);
      };
      for (std::size_t i = 0; i < n; ++i) values.template write<float>()[i] = value(c.rank(), i);
      for (int i = 0; i < 2; ++i) all.template write<int>()[2 * c.rank() + i] = 10 * c.rank() + i;
      values.send(), all.send();
      group.sum_in_order(values.template on_device<float>(), n);
      group.gather(all.template on_device<int>(), 6);
      values.changed_on_device(), all.changed_on_device();
      for (std::size_t i = 0; i < n; ++i)
        CHECK(values.template read<float>()[i] == (value(0, i) + value(1, i)) + value(2, i));
      for (int i = 0; i < 6; ++i) CHECK(all.template read<int>()[i] == 10 * (i / 2) + i % 2);
    });
  };
  check([](auto& c) { return device_ranks(c); });
  check([](auto& c) { return thread_ranks::communicator(c); });
}
