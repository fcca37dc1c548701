// SPDX-License-Identifier: MIT
#include "trm/io/tensorboard.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <csignal>
#include <string>
#include <vector>

#include "support/event_file.hpp"
#include "support/python.hpp"
#include "support/temporary_folder.hpp"
#include "support/throws.hpp"

namespace {

using scalars = std::vector<trm::tensorboard_scalar>;
using trm_test::bytes_of;
using trm_test::event_scalar;
using trm_test::get;
using trm_test::number_of;
using trm_test::proto_fields;
using trm_test::temporary_folder;

TEST_CASE("CRC-32C of RFC 3720") {
  CHECK(trm::crc32c(std::string(32, '\0')) == 0x8a9136aau);
  CHECK(trm::crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
  CHECK(trm::crc32c("123456789") == 0xe3069283u);
  CHECK(trm::crc32c("") == 0);
}

TEST_CASE("scalars come back with step, name, value and time") {
  const temporary_folder folder;
  trm::tensorboard_writer events(folder.path());
  events.scalars(10, 1700000000.5, scalars{{"train/lm_loss", 1.25}, {"train/lr", -3e-4}});
  events.scalars(1LL << 40, 1700000001, scalars{{"ARC/pass@2", 0.5}});
  CHECK(trm_test::event_scalars(folder.path()) == std::vector<event_scalar>{{10, "train/lm_loss", 1.25f},
                                                                            {10, "train/lr", -3e-4f},
                                                                            {1LL << 40, "ARC/pass@2", 0.5f}});
  const auto records = trm_test::tfrecords(get(events.path()));
  REQUIRE(records.size() == 3);
  CHECK(bytes_of(proto_fields(records[0]), 3) == "brain.Event:2");
  CHECK(std::bit_cast<double>(number_of(proto_fields(records[1]), 1)) == 1700000000.5);
  events.scalars(11, 1700000002, {});  // nothing to say
  CHECK(trm_test::tfrecords(get(events.path())).size() == 3);
}

TEST_CASE("a later file takes back what it repeats, and comes after all others") {
  const temporary_folder folder;
  trm_test::put(folder / "events.out.tfevents.4000000000.other.1.trm", "");
  trm_test::put(folder / "events.out.tfevents.", "");
  std::vector<std::string> names;
  for (const std::int64_t first : {1, 3, 3, 2}) {
    trm::tensorboard_writer events(folder.path(), first);
    for (std::int64_t step = first; step < first + 3; ++step) {
      events.scalars(step, 0, scalars{{"x", static_cast<double>(10 * names.size()) + static_cast<double>(step)}});
    }
    names.push_back(events.path().filename().string());
  }
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(names[0].starts_with("events.out.tfevents.4000000001."));
  CHECK(trm_test::event_scalars(folder.path()) ==
        std::vector<event_scalar>{{1, "x", 1}, {2, "x", 32}, {3, "x", 33}, {4, "x", 34}});
}

TEST_CASE("a full disk: one error, and the file ends with a whole record") {
  const temporary_folder folder;
  trm::tensorboard_writer events(folder.path());
  events.scalars(1, 0, scalars{{"x", 1}});
  const auto size = std::filesystem::file_size(events.path());
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{size + 7, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string message = trm_test::error_of([&] { events.scalars(2, 0, scalars{{"x", 2}}); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(message == events.path().string() + ": cannot write: File too large");
  CHECK(std::filesystem::file_size(events.path()) == size);
  events.scalars(3, 0, scalars{{"x", 3}});
  CHECK(trm_test::event_scalars(folder.path()) == std::vector<event_scalar>{{1, "x", 1}, {3, "x", 3}});
}

TEST_CASE("a folder that is not there is named") {
  trm_test::check_error([] { trm::tensorboard_writer("/nowhere/at/all"); }, "cannot create: No such file or directory");
}

TEST_CASE("TensorBoard reads the same") {
  if (!trm_test::python_has("tensorboard")) return;
  const temporary_folder folder;
  {
    trm::tensorboard_writer events(folder.path());
    events.text("configuration", "    lr = 1e-3\n    name = \"a\"\n");
    events.hparams(scalars{{"lr", 1e-3}}, std::vector<trm::tensorboard_text>{{"optimizer", "adamw"}});
    for (int step = 1; step <= 5; ++step) {
      events.scalars(step, 1700000000 + step, scalars{{"train/lm_loss", 1.0 / step}, {"ARC/pass@2", 0.25}});
    }
  }
  trm::tensorboard_writer resumed(folder.path(), 4);
  resumed.scalars(4, 1700000104, scalars{{"train/lm_loss", 4}});
  const bool fine = trm_test::run_python(folder.path(), R"(
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
import tensorboard.util.tensor_util as tensor_util
run = EventAccumulator('.', size_guidance={'scalars': 0})
run.Reload()
found = [(e.step, e.wall_time, e.value) for e in run.Scalars('train/lm_loss')]
assert [f[0] for f in found] == [1, 2, 3, 4], found
assert [f[1] for f in found] == [1700000001, 1700000002, 1700000003, 1700000104], found
assert abs(found[2][2] - 1 / 3) < 1e-7 and found[3][2] == 4, found
assert [e.step for e in run.Scalars('ARC/pass@2')] == [1, 2, 3]
text = run.Tensors('configuration')[0]
assert tensor_util.make_ndarray(text.tensor_proto).item() == b'    lr = 1e-3\n    name = "a"\n', text
assert run.SummaryMetadata('configuration').plugin_data.plugin_name == 'text'
options = plugin_data_pb2.HParamsPluginData.FromString(
    run.SummaryMetadata('_hparams_/session_start_info').plugin_data.content).session_start_info.hparams
assert options['lr'].number_value == 1e-3 and options['optimizer'].string_value == 'adamw', options
)");
  CHECK(fine);
}

}  // namespace
