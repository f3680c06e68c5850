#include "imgtool/aufs_fixup_command.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "base/file.h"
#include "imgtool/branch_map_of_facts.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/facts_reader.h"
#include "imgtool/fixup_pass.h"
#include "imgtool/path_repair.h"
#include "imgtool/rewrite_output.h"
#include "imgtool/union_view.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

// More than the largest map that can be true: 32767 branches of 4095 escaped bytes.
constexpr size_t kMaxMapBytes = size_t{1} << 30;

struct FixupOptions {
  std::string dump;
  std::optional<std::string> branches;
  std::optional<std::string> root;
  OutputOptions output;
};

std::optional<std::string> StringOption(const po::variables_map& options, const char* name) {
  if (options.count(name) == 0) return std::nullopt;
  return options[name].as<std::string>();
}

Result<FixupOptions> ReadOptions(const Invocation& invocation) {
  const po::variables_map& given = invocation.options;
  CKPT_TRY(OutputOptions output, ReadOutputOptions(invocation));
  return FixupOptions{.dump = invocation.operands[0],
                      .branches = StringOption(given, "branches"),
                      .root = StringOption(given, "root"),
                      .output = std::move(output)};
}

Result<BranchMap> ReadMap(const FixupOptions& options, const DumpFacts& facts) {
  if (options.branches) {
    CKPT_TRY(const std::string text, ReadWholeFile(*options.branches, kMaxMapBytes));
    return ParseBranchMap(text, *options.branches);
  }
  CKPT_TRY(BranchMap map, BranchMapOfFacts(facts.unions));
  if (map.unions.empty()) {
    return MakeError(ErrorCode::kNotFound,
                     "{}: no branches of a union mount are recorded there (ckpt-raw.img); give a "
                     "map with --branches",
                     options.dump);
  }
  return map;
}

// Whether the dump's paths start at the root of this namespace: no other one is dumped.
bool PathsAreOurs(const DumpFacts& facts) {
  return std::ranges::all_of(facts.mounts.namespaces(), [&](const auto& dumped) {
    return facts.shared_mnt_ns_id == dumped.first;
  });
}

Result<UnionView> OpenView(const FixupOptions& options, const DumpFacts& facts) {
  if (options.root) return UnionView::AtRoot(*options.root);
  return UnionView::AtMountpoints(PathsAreOurs(facts));
}

RepairRules RulesFor(const FixupOptions& options, const BranchMap& map, const UnionView& view) {
  const auto union_has_file = [&view](const MapUnion& mount,
                                      const std::string& path) -> Result<bool> {
    if (view.WhyUnreadable(mount)) return false;
    CKPT_TRY(const auto found, view.Find(path));
    return found.has_value();
  };
  return {.map = &map,
          .map_is_explicit = options.branches.has_value(),
          .union_has_file = union_has_file};
}

}  // namespace

void AddAufsFixupOptions(po::options_description& options) {
  options.add_options()("branches,b", po::value<std::string>()->value_name("MAP"),
                        "branch map to use instead of what the dump recorded");
  AddOutputOptions(options);
  options.add_options()("root,r", po::value<std::string>()->value_name("ROOTFS"),
                        "where the root directory of the dump's paths is now; sizes and modes are "
                        "taken from there");
}

Result<int> RunAufsFixup(const Invocation& invocation) {
  CKPT_TRY(const FixupOptions options, ReadOptions(invocation));
  CKPT_TRY(OpenedDump dump, OpenForOutput(options.dump, options.output));
  CKPT_TRY(const DumpFacts facts, ReadDumpFacts(dump.images()));
  CKPT_TRY(const BranchMap map, ReadMap(options, facts));
  CKPT_TRY(const UnionView view, OpenView(options, facts));
  CKPT_TRY(const PathRepairs repairs, FindPathRepairs(facts, RulesFor(options, map, view)));
  CKPT_TRY(EditPlan plan, PlanFixup({facts, map, repairs, view}));
  for (const std::string& warning : BranchMapWarnings(map)) {
    fmt::print(invocation.streams.err, "imgtool aufs-fixup: warning: {}\n", warning);
  }
  CKPT_TRY(WritePlan(dump, std::move(plan), options.output, invocation.streams));
  return kExitDone;
}

}  // namespace ckpt
