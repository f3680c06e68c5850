#include "imgtool/aufs_fixup_command.h"

#include <fmt/ostream.h>

#include <algorithm>
#include <array>
#include <boost/program_options/value_semantic.hpp>
#include <charconv>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/dump_directory.h"
#include "imgtool/branch_map_of_facts.h"
#include "imgtool/facts_reader.h"
#include "imgtool/fixup_context.h"
#include "imgtool/map_source.h"
#include "imgtool/mount_reference.h"
#include "imgtool/opened_dump.h"
#include "imgtool/passes.h"
#include "imgtool/path_repair.h"
#include "imgtool/rewrite_output.h"
#include "imgtool/union_resolver.h"
#include "imgtool/union_view.h"

namespace ckpt {

namespace {

namespace po = boost::program_options;

struct FixupOptions {
  std::string dump;
  std::optional<std::string> branches;
  std::optional<std::string> root;
  MountChoices mounts;
  OnShadowed on_shadowed = OnShadowed::kError;
  OnDeleted on_deleted = OnDeleted::kError;
  bool force = false;
  OutputOptions output;
};

std::optional<std::string> StringOption(const po::variables_map& options, const char* name) {
  if (options.count(name) == 0) return std::nullopt;
  return options[name].as<std::string>();
}

// The value of a choice by the names of its row.
template <typename T>
struct ChoiceName {
  std::string_view name;
  T value;
};
constexpr std::array<ChoiceName<OnShadowed>, 3> kOnShadowed{{{"error", OnShadowed::kError},
                                                             {"rewrite", OnShadowed::kRewrite},
                                                             {"ghost", OnShadowed::kGhost}}};
constexpr std::array<ChoiceName<OnDeleted>, 2> kOnDeleted{
    {{"error", OnDeleted::kError}, {"ghost", OnDeleted::kGhost}}};

template <typename T, size_t kCount>
Result<> ReadChoice(const po::variables_map& options, const char* name,
                    const std::array<ChoiceName<T>, kCount>& choices, T& value) {
  const auto given = StringOption(options, name);
  if (!given) return success();
  std::string names;
  for (const auto& choice : choices) {
    if (choice.name == *given) {
      value = choice.value;
      return success();
    }
    names += (names.empty() ? "" : ", ") + std::string(choice.name);
  }
  return MakeError(ErrorCode::kUsage, "--{}={}: one of {} expected", name, *given, names);
}

// KEY:VAL as CRIU takes it: KEY is the mountpoint, VAL the key by which a restorer is told. The
// mountpoint can have the number of a mount namespace before it.
Result<> ReadExternalMount(const std::string& word, MountChoices& mounts) {
  if (word == "auto") {
    mounts.external_auto = true;
    return success();
  }
  const size_t colon = word.find(':');
  const bool has_both = colon != std::string::npos && colon + 1 < word.size();
  const size_t slash = word.find('/');
  ExternalMount external;
  const bool is_named = slash > 0 && slash < colon;
  if (is_named) {
    const auto [end, problem] =
        std::from_chars(word.data(), word.data() + slash, external.mnt_ns_id.emplace());
    if (problem != std::errc() || end != word.data() + slash) external.mnt_ns_id.reset();
  }
  if (!has_both || slash > colon || external.mnt_ns_id.has_value() != is_named) {
    return MakeError(ErrorCode::kUsage,
                     "--ext-mount-map {}: MOUNTPOINT:KEY, N/MOUNTPOINT:KEY or auto expected", word);
  }
  CKPT_TRY(external.mountpoint, NormalPath(word.substr(slash, colon - slash)));
  external.key = word.substr(colon + 1);
  mounts.external.push_back(std::move(external));
  return success();
}

Result<MountChoices> ReadMountChoices(const po::variables_map& given) {
  MountChoices mounts;
  if (given.count("ext-mount-map") > 0) {
    for (const std::string& word : given["ext-mount-map"].as<std::vector<std::string>>()) {
      CKPT_TRY(ReadExternalMount(word, mounts));
    }
  }
  if (const auto root = StringOption(given, "mount-root")) {
    CKPT_TRY(mounts.union_root, NormalPath(*root));
    if (mounts.union_root == "/") mounts.union_root.reset();
  }
  if (const auto reference = StringOption(given, "mount-ref")) {
    CKPT_TRY(mounts.reference, FindMountReference(*reference));
  }
  return mounts;
}

Result<FixupOptions> ReadOptions(const Invocation& invocation) {
  const po::variables_map& given = invocation.options;
  CKPT_TRY(OutputOptions output, ReadOutputOptions(invocation));
  FixupOptions options{.dump = invocation.operands[0],
                       .branches = StringOption(given, "branches"),
                       .root = StringOption(given, "root"),
                       .mounts = {},
                       .force = given.count("force") > 0,
                       .output = std::move(output)};
  CKPT_TRY(options.mounts, ReadMountChoices(given));
  CKPT_TRY(ReadChoice(given, "on-shadowed", kOnShadowed, options.on_shadowed));
  CKPT_TRY(ReadChoice(given, "on-deleted", kOnDeleted, options.on_deleted));
  return options;
}

Result<BranchMap> ReadMap(const FixupOptions& options, const std::string& path,
                          const DumpFacts& facts) {
  if (options.branches) {
    CKPT_TRY(BranchMap map, ReadMapSource(*options.branches));
    return PlaceUnions(std::move(map), facts);
  }
  CKPT_TRY(BranchMap map, BranchMapOfFacts(facts.unions));
  if (map.unions.empty()) {
    return MakeError(ErrorCode::kNotFound,
                     "{}: no branches of a union mount are recorded there (ckpt-raw.img); give a "
                     "map with --branches",
                     path);
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

RepairRules RulesFor(const FixupOptions& options, const BranchMap& map,
                     const UnionResolver& resolver) {
  return {
      .map = &map,
      .evidence = {.map_is_explicit = options.branches.has_value(),
                   .force = options.force,
                   .union_has_file =
                       [&resolver](const MapUnion& mount, const std::string& path) {
                         return resolver.Shows(mount, path);
                       }},
      .resolve = [&resolver](const FileQuestion& question) { return resolver.Resolve(question); },
      .on_shadowed = options.on_shadowed,
      .on_deleted = options.on_deleted};
}

// The dump, and those that it builds on where they are to be changed with it and have files of
// their own; what CRIU's pre-dump makes has none.
std::vector<std::string> DumpsOf(const FixupOptions& options) {
  std::vector<std::string> paths = {options.dump};
  if (options.output.out || !std::filesystem::is_directory(options.dump)) return paths;
  const auto chain = OpenDumpChain(options.dump);
  if (chain.has_error()) return paths;  // it is no reason to leave the paths as they are
  for (size_t i = 1; i < chain.value().size(); ++i) {
    const DumpDirectory& parent = chain.value()[i];
    const bool has_files = parent.Has(ImageType::kFiles) || parent.Has(ImageType::kRegFiles);
    if (has_files) paths.push_back(parent.path());
  }
  return paths;
}

struct PlannedDump {
  OpenedDump dump;
  EditPlan plan;
};

Result<PlannedDump> PlanOf(const FixupOptions& options, const std::string& path,
                           std::ostream& err) {
  CKPT_TRY(OpenedDump dump, OpenForOutput(path, options.output));
  CKPT_TRY(const DumpFacts facts, ReadDumpFacts(dump.images()));
  CKPT_TRY(const BranchMap map, ReadMap(options, path, facts));
  CKPT_TRY(UnionView view, OpenView(options, facts));
  CKPT_TRY(const UnionResolver resolver, UnionResolver::Open(map, std::move(view)));
  const RepairRules rules = RulesFor(options, map, resolver);
  CKPT_TRY(const PathRepairs repairs, FindPathRepairs(facts, rules));
  CKPT_TRY(EditPlan plan,
           PlanFixup({facts, map, repairs, resolver, options.mounts, rules.evidence}));
  for (const std::string& warning : BranchMapWarnings(map)) {
    fmt::print(err, "imgtool aufs-fixup: warning: {}\n", warning);
  }
  return PlannedDump{std::move(dump), std::move(plan)};
}

}  // namespace

void AddAufsFixupOptions(po::options_description& options) {
  options.add_options()(
      "branches,b", po::value<std::string>()->value_name("MAP"),
      "where to take the branches from instead of what the dump recorded: a branch "
      "map or any source of `imgtool branches`");
  AddOutputOptions(options);
  options.add_options()("root,r", po::value<std::string>()->value_name("ROOTFS"),
                        "where the root directory of the dump's paths is now; sizes and modes are "
                        "taken from there");
  options.add_options()("on-shadowed", po::value<std::string>()->value_name("WHAT"),
                        "a file that another one covers in the union since: error, rewrite (take "
                        "that one) or ghost (restore the old one)");
  options.add_options()("on-deleted", po::value<std::string>()->value_name("WHAT"),
                        "a file that was deleted in the union since: error or ghost");
  options.add_options()("ext-mount-map,m",
                        po::value<std::vector<std::string>>()->value_name("MOUNTPOINT:KEY"),
                        "make this mount external, under this key; 8/MOUNTPOINT:KEY: that of "
                        "mountpoints-8.img; auto: all that need it");
  options.add_options()("mount-root", po::value<std::string>()->value_name("PATH"),
                        "the root that the union mounts get");
  options.add_options()("mount-ref", po::value<std::string>()->value_name("FILE"),
                        "device, type, source and options for the union mounts: those of the mount "
                        "that owns FILE, or of a line of mountinfo");
  options.add_options()("force,f", "also change paths that could be true ones");
}

Result<int> RunAufsFixup(const Invocation& invocation) {
  CKPT_TRY(const FixupOptions options, ReadOptions(invocation));
  // All of them are planned before the first one is written.
  std::vector<PlannedDump> planned;
  for (const std::string& path : DumpsOf(options)) {
    CKPT_TRY(PlannedDump one, PlanOf(options, path, invocation.streams.err));
    planned.push_back(std::move(one));
  }
  for (PlannedDump& one : planned) {
    CKPT_TRY(WritePlan(one.dump, std::move(one.plan), options.output, invocation.streams));
  }
  return kExitDone;
}

}  // namespace ckpt
