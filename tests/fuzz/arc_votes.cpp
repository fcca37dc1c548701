// SPDX-License-Identifier: MIT
// Votes of a checkpoint: read and restored, then counted on.
#include "formats.hpp"
#include "trm/data/arc/evaluator.hpp"

namespace {

trm::arc::evaluator of_two_tasks() {
  trm::arc::grid one(1, 1), two(1, 2);
  return {{{"a", {}, {{one, two}, {two, one}}, false}, {"b", {}, {{one, one}}, false}}, {"<blank>", "a", "b"}};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const trm_fuzz::memory_file memory;
  trm_fuzz::attempt([&] {
    const auto state =
        trm::arc::read_evaluator_state(memory.put(trm_fuzz::safetensors_bytes(trm_fuzz::text_of(data, size))));
    trm::arc::evaluator votes = of_two_tasks();
    votes.restore(state, "votes");
    const trm::arc::evaluation e = votes.result();
    trm_fuzz::require(e.distinct_answers <= e.predictions, "more answers than predictions");
    trm_fuzz::require(votes.submission().size() > 2, "no submission");
    const trm::arc::evaluator_state again = votes.state();
    trm_fuzz::require(again.answers == state.answers && again.cells == state.cells && again.votes == state.votes &&
                          again.confidence == state.confidence && again.order_in_round == state.order_in_round,
                      "what was restored is not what was read");
    trm::arc::evaluator other = of_two_tasks();
    other.merge(votes);
    votes.begin_round();
  });
  return 0;
}
