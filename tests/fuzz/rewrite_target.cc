#include "tests/fuzz/rewrite_target.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string_view>

#include "formats/image_type.h"
#include "imgtool/branch_map_text.h"
#include "imgtool/check/changed_source.h"
#include "imgtool/check/plan_check.h"
#include "imgtool/dump_changes.h"
#include "imgtool/facts_reader.h"
#include "imgtool/finalize_plan.h"
#include "imgtool/fixup_context.h"
#include "imgtool/image_source.h"
#include "imgtool/passes.h"
#include "imgtool/path_repair.h"
#include "imgtool/union_resolver.h"
#include "imgtool/union_view.h"
#include "tests/fuzz/packed_dump.h"

namespace ckpt {

namespace {

struct FuzzInput {
  ImageSource::Members members;
  std::string text;
};

FuzzInput Unpack(Bytes bytes) {
  const UnpackedDump dump = UnpackFuzzInput(AsText(bytes));
  return {{dump.files.begin(), dump.files.end()}, dump.text};
}

// What the dump is after the plan.
ImageSource::Members Changed(const ImageSource::Members& members, const DumpChanges& changes) {
  ImageSource::Members changed;
  for (const auto& [name, bytes] : members) {
    const auto edited = changes.edited.find(name);
    changed[changes.NameOf(name)] =
        edited == changes.edited.end()
            ? bytes
            : edited->second.bytes + std::string(edited->second.hole_bytes, '\0');
  }
  for (const auto& [name, content] : changes.new_files) changed[name] = content.bytes;
  return changed;
}

std::vector<CheckFinding> AllFindings(const ImageSource& images) {
  const ChangedSource source(images);
  const CheckedDump dump(source);
  const auto findings = CheckDump(dump);
  CKPT_CHECK(findings.has_value());
  return findings.value();
}

// What the check before a commit lets pass, a check of all by all rules lets pass, too.
void CheckAll(const ImageSource& before, const ImageSource& after, const DumpChanges& changes) {
  const auto old_findings = AllFindings(before);
  const auto findings = AllFindings(after);
  for (const CheckFinding* added : NewFindings(old_findings, findings, changes)) {
    CKPT_CHECK(added->rule->severity != CheckSeverity::kError);
  }
}

// A dump whose facts could be read has facts after the change, too, with as many entries; and
// nothing is wrong with it that was not before.
int CheckOutput(const ImageSource::Members& members, EditPlan plan) {
  const ImageSource before = ImageSource::OfMembers("fuzzed", members);
  if (FinalizePlan(before, plan).has_error() || plan.empty()) return 0;
  const auto changes = ChangesOf(plan, before);
  if (changes.has_error()) return 0;
  if (CheckPlan(before, plan, changes.value()).has_error()) return 0;
  const ImageSource after = ImageSource::OfMembers("rewritten", Changed(members, changes.value()));
  for (const auto& [name, content] : changes.value().edited) {
    const auto type = FindImageTypeByFileName(name);
    if (GetImageType(type->type).framing == ImageFraming::kRaw) continue;
    const auto old_image = before.Read(name);
    const auto new_image = after.Read(changes.value().NameOf(name));
    CKPT_CHECK(old_image.has_value() && new_image.has_value());
    CKPT_CHECK(new_image.value().entries().size() >= old_image.value().entries().size());
  }
  CKPT_CHECK(ReadDumpFacts(before).has_error() || ReadDumpFacts(after).has_value());
  CheckAll(before, after, changes.value());
  const auto edits = plan.edits();
  CKPT_CHECK(std::ranges::all_of(
      edits, [](const Edit* edit) { return edit->old_value != edit->new_value; }));
  return 1;
}

int FuzzFixup(const FuzzInput& input) {
  const auto map = ParseBranchMap(input.text, "fuzzed map");
  const auto facts = ReadDumpFacts(ImageSource::OfMembers("fuzzed", input.members));
  if (map.has_error() || facts.has_error()) return 0;
  auto view = UnionView::AtMountpoints(false);
  if (view.has_error()) return 0;
  const auto resolver = UnionResolver::Open(map.value(), std::move(view).value());
  if (resolver.has_error()) return 0;
  RepairRules rules;
  rules.map = &map.value();
  rules.evidence.map_is_explicit = true;
  rules.evidence.force = input.text.ends_with('!');
  const auto repairs = FindPathRepairs(facts.value(), rules);
  if (repairs.has_error()) return 0;
  const MountChoices mounts;
  auto plan = PlanFixup(
      {facts.value(), map.value(), repairs.value(), resolver.value(), mounts, rules.evidence});
  return plan.has_value() ? CheckOutput(input.members, std::move(plan).value()) : 0;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Each line a rule for everything that it can be a rule of, the numbers from its bytes.
std::optional<RewriteRules> RulesOf(const std::string& text) {
  std::vector<std::string> rules = Lines(text);
  // No rule at all, or one that leads to files of this machine.
  std::erase_if(rules, [](const std::string& rule) {
    return rule.starts_with('@') || rule.find('=') == std::string::npos;
  });
  auto paths = PrefixMap::Parse("--path", rules);
  auto cgroups = PrefixMap::Parse("--cgroup", rules);
  auto mounts = PrefixMap::Parse("--mount", rules, false);
  if (paths.has_error() || cgroups.has_error() || mounts.has_error()) return std::nullopt;
  using std::string_literals::operator""s;
  RewriteRules parsed;
  const unsigned kind = text.empty() ? 0 : static_cast<unsigned char>(text.back());
  if ((kind & 1) != 0) parsed.paths = std::move(paths).value();
  if ((kind & 2) != 0) parsed.cgroups = std::move(cgroups).value();
  if ((kind & 4) != 0) parsed.mounts = std::move(mounts).value();
  if ((kind & 8) != 0) parsed.uid_shift = static_cast<int64_t>(text.size()) - kind % 3 * 64;
  if ((kind & 16) != 0) parsed.addresses.emplace("\x0a\0\0\1"s, "\x0a\0\0\2"s);
  parsed.anonymise = kind % 16 == 0;
  return parsed;
}

}  // namespace

int FuzzRewrite(Bytes bytes) {
  const FuzzInput input = Unpack(bytes);
  const int fixups = FuzzFixup(input);
  auto rules = RulesOf(input.text);
  if (!rules) return fixups;
  auto plan = PlanRewrite(ImageSource::OfMembers("fuzzed", input.members), std::move(*rules));
  return fixups + (plan.has_value() ? CheckOutput(input.members, std::move(plan).value()) : 0);
}

}  // namespace ckpt
