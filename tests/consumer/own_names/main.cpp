// SPDX-License-Identifier: MIT
// A program that has names like those of the library, globally and in namespaces of its own, before it includes it. And the
// macros of <windows.h>: libstdc++ takes min and max away with its first header.
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#include <stdexcept>
#include <string>

struct config {};
struct model {};
struct weights {};
struct view {};
struct tensor {};
struct shape {};
struct batch {};
namespace cpu {
struct context {};
}  // namespace cpu
namespace ops {
inline int matmul() { return 1; }
}  // namespace ops
namespace detail {
inline int get() { return 2; }
}  // namespace detail
namespace mpi {
struct communicator {};
}  // namespace mpi
namespace trm_app {
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
template <class T>
struct solver {
  T value;
};
}  // namespace trm_app

#include "../model.hpp"
#include "trm/train/evaluate.hpp"
#include "trm/train/trainer.hpp"

namespace trm_app {
// A namespace of one's own with an alias for the library's inside.
namespace library = ::trm;
int prediction() { return first_prediction(1) + solver<int>{ops::matmul() + detail::get()}.value - 3; }
}  // namespace trm_app

int main() {
  const config c;
  const cpu::context d;
  static_cast<void>(c), static_cast<void>(d);
  // Thrown by a task on another thread, caught here with its own type and words.
  trm::cpu::thread_pool pool(2);
  try {
    pool.run(8, [](int task, int) {
      if (task == 5) throw trm_app::error("task 5");
    });
    return 1;
  } catch (const trm_app::error& e) {
    if (std::string(e.what()) != "task 5") return 2;
  }
  // The library's own is told apart from it.
  try {
    trm::cpu::context<> device(1);
    trm_app::library::solver<tiny> none(device, 0);
    return 3;
  } catch (const trm_app::error&) {
    return 4;
  } catch (const trm_app::library::error&) {
  }
  return trm_app::prediction() == first_prediction(1) ? 0 : 5;
}
