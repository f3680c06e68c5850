#include "imgtool/branches_command.h"

#include <fmt/ostream.h>

#include <boost/program_options/value_semantic.hpp>
#include <filesystem>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>

#include "imgtool/branch_map.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/dump_input.h"
#include "imgtool/facts_reader.h"
#include "imgtool/map_source.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

// A source in a file may be an archive with a dump in it, and is then read where that is unpacked.
Result<BranchMap> ReadSource(const std::string& source, const Invocation& invocation) {
  std::error_code none;
  const bool is_file = std::filesystem::is_regular_file(source, none);
  if (!is_file && source != kStandardInput) return ReadMapSource(source);
  CKPT_TRY(const DumpInput input,
           DumpInput::Open(source, invocation, NeedsImagesWithEntries, OneImage::kAccepted));
  return ReadMapSource(input.path());
}

Result<BranchMap> PlaceIn(const std::string& dump, BranchMap map, const Invocation& invocation) {
  CKPT_TRY(const DumpInput input, DumpInput::Open(dump, invocation, NeedsImagesWithEntries));
  CKPT_TRY(const DumpFacts facts, ReadDumpFacts(input.path()));
  return PlaceUnions(std::move(map), facts);
}

}  // namespace

void AddBranchesOptions(po::options_description& options) {
  options.add_options()("dump,d", po::value<std::string>()->value_name("DUMP"),
                        "say where the unions are mounted in this dump");
  AddInputOptions(options);
}

Result<int> RunBranches(const Invocation& invocation) {
  CKPT_TRY(BranchMap map, ReadSource(invocation.operands[0], invocation));
  if (invocation.options.count("dump") > 0) {
    const auto dump = invocation.options["dump"].as<std::string>();
    CKPT_TRY(map, PlaceIn(dump, std::move(map), invocation));
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
