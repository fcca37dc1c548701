// SPDX-License-Identifier: MIT
// main of every benchmark: Google Benchmark's, whose results also say on what machine and of what code they are.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "program/build_facts.hpp"
#include "trm/backend/cpu/isa.hpp"
#include "trm/version.hpp"

namespace {

std::string processor(const char* field) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.rfind(field, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

/// The instruction sets that matter here, of all that the processor names.
std::string instruction_sets() {
  std::istringstream flags(processor("flags"));
  std::string found;
  for (std::string flag; flags >> flag;) {
    for (const char* name : {"avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8"}) {
      if (flag != name) continue;
      if (!found.empty()) found += ' ';
      found += flag;
    }
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::AddCustomContext("processor", processor("model name"));
  benchmark::AddCustomContext("processors", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)));
  benchmark::AddCustomContext("instruction_sets", instruction_sets());
  benchmark::AddCustomContext("level", trm::cpu::name(trm::cpu::current_isa()));
  benchmark::AddCustomContext("compiler", program::built_compiler());
  benchmark::AddCustomContext("flags", program::built_flags());
  benchmark::AddCustomContext("trm_version", trm::version_string);
  benchmark::AddCustomContext("commit", program::built_commit());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
