// SPDX-License-Identifier: MIT
// What the program `step` times: one model, compiled, with random weights and data.
#pragma once
#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace trm_benchmark {

/// What is to be timed.
struct request {
  std::string model = "sudoku_attention";  // sudoku_attention, sudoku_mixer, arc, small_32, small_17
  std::string type = "float32";            // or bf16
  std::string what = "train";  // a training step; solve: one sample, 16 supervision steps without a gradient
  int batch = 8;               // samples of a training step
  int threads = 2;
};

/// A model that is ready to be timed. All memory has been taken.
class session {
 public:
  virtual ~session() = default;
  /// One round; returns a loss, so that nothing can be left out.
  virtual double run() = 0;
  /// FLOPs of a round: products and attention, backward twice the forward.
  virtual double flops() const = 0;
  /// Bytes that the plan of the model, which the compiler knows, says: parameters, optimizer, states, activations.
  virtual std::size_t planned_bytes() const = 0;
  /// Writes weights, data, and what two training steps make of them, as safetensors: another implementation can be compared with it.
  virtual void record(const std::string& path) = 0;
};

using session_factory = std::unique_ptr<session> (*)(const request&);

/// The models that are compiled, by name: each has a source file of its own, preset_*.cpp.
inline std::map<std::string, session_factory>& compiled_models() {
  static std::map<std::string, session_factory> all;
  return all;
}
struct registered_model {
  registered_model(const std::string& name, session_factory make) { compiled_models()[name] = make; }
};

}  // namespace trm_benchmark
