// `whet env`: the machine and the versions, to paste into a bug report.
#include <sys/utsname.h>

#include <cstdio>

#include "base/cpu.h"
#include "base/table.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace whet {
namespace {

std::string Bytes(int64_t bytes) {
  return bytes >= 1 << 20 ? fmt::format("{:.4g} MiB", bytes / 1048576.0)
                          : fmt::format("{} KiB", bytes >> 10);
}

int Env(const std::string& json_path) {
  const Target target = Target::Host(AllowedCpuCount());
  const MachineModel machine = *target.Machine();
  utsname system{};
  uname(&system);
  Table table({"what", "value"});
  table.AddRow({"CPU", CpuName()});
  table.AddRow({"cores", fmt::format("{} usable", AllowedCpuCount())});
  table.AddRow(
      {"architecture", fmt::format("{}, {} {}", target.arch, system.sysname, system.release)});
  table.AddRow({"instruction set", fmt::format("{}: {} registers of {} bytes", target.isa,
                                               machine.vector_registers, machine.vector_bytes)});
  table.AddRow({"caches", fmt::format("L1 {}, L2 {}, L3 {}", Bytes(machine.l1_bytes),
                                      Bytes(machine.l2_bytes), Bytes(machine.l3_bytes))});
  table.AddRow({"target", target.ToString()});
  table.AddRow({"Halide target", target.HalideTarget()});
  table.AddRow({"whet", kWhetVersion});
  table.AddRow({"Halide", kHalideVersion});
  std::fputs(table.ToString().c_str(), stdout);
  if (json_path.empty()) return 0;
  Json json = {{"schema_version", 1},
               {"context", ReportContext(target.threads)},
               {"target", target.ToString()},
               {"halide_target", target.HalideTarget()},
               {"machine",
                {{"vector_bytes", machine.vector_bytes},
                 {"vector_registers", machine.vector_registers},
                 {"l1_bytes", machine.l1_bytes},
                 {"l2_bytes", machine.l2_bytes},
                 {"l3_bytes", machine.l3_bytes},
                 {"threads", machine.threads}}}};
  if (Status status = WriteJson(json_path, json); !status) return Report(status.error());
  return 0;
}

}  // namespace

void RegisterEnv(CLI::App& app, int* exit_code) {
  CLI::App* verb = app.add_subcommand(
      "env", "CPU, caches, instruction set, versions: paste it into a bug report");
  verb->footer("Example:\n  whet env --json env.json");
  auto json = std::make_shared<std::string>();
  verb->add_option("--json", *json, "also write it as JSON to this file");
  verb->callback([json, exit_code] { *exit_code = Env(*json); });
}

}  // namespace whet
