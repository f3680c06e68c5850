#include "imgtool/branches_command.h"

#include <fmt/ostream.h>

#include <boost/program_options/value_semantic.hpp>
#include <ostream>
#include <string>
#include <utility>

#include "imgtool/branch_map.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/facts_reader.h"
#include "imgtool/map_source.h"

namespace ckpt {

namespace po = boost::program_options;

void AddBranchesOptions(po::options_description& options) {
  options.add_options()("dump,d", po::value<std::string>()->value_name("DUMP"),
                        "say where the unions are mounted in this dump");
}

Result<int> RunBranches(const Invocation& invocation) {
  CKPT_TRY(BranchMap map, ReadMapSource(invocation.operands[0]));
  if (invocation.options.count("dump") > 0) {
    CKPT_TRY(const DumpFacts facts, ReadDumpFacts(invocation.options["dump"].as<std::string>()));
    CKPT_TRY(map, PlaceUnions(std::move(map), facts));
  }
  if (map.unions.empty()) {
    return MakeError(ErrorCode::kNotFound, "{}: no branches of a union mount are told there",
                     invocation.operands[0]);
  }
  CKPT_TRY(CheckBranchMap(map));
  for (const std::string& warning : BranchMapWarnings(map)) {
    fmt::print(invocation.streams.err, "imgtool branches: warning: {}\n", warning);
  }
  fmt::print(invocation.streams.out, "{}", PrintBranchMap(map));
  return kExitDone;
}

}  // namespace ckpt
