#include "formats/check/check_dump.h"

#include <algorithm>

#include "formats/check/descriptor_rules.h"
#include "formats/check/event_rules.h"
#include "formats/check/image_rules.h"
#include "formats/check/memory_rules.h"
#include "formats/check/mount_rules.h"
#include "formats/check/namespace_rules.h"
#include "formats/check/page_rules.h"
#include "formats/check/socket_rules.h"
#include "formats/check/tree_rules.h"

namespace ckpt {

namespace {

constexpr std::string_view kFilesPrefix = "FILES.";

// Whether one is the other, or is inside of it: "FILES.reg" and "FILES.reg.name".
bool Overlap(std::string_view one, std::string_view other) {
  if (one.size() > other.size()) std::swap(one, other);
  return other.starts_with(one) && (other.size() == one.size() || other[one.size()] == '.');
}

// In older dumps each kind of file has an image of its own.
bool IsOldFileImage(std::string_view touched) {
  constexpr std::string_view kOld[] = {
      "REG_FILES",    "INETSK",       "NS_FILES",       "PACKETSK",      "NETLINK_SK",
      "EVENTFD_FILE", "SIGNALFD",     "EVENTPOLL_FILE", "TUNFILE",       "TIMERFD",
      "UNIXSK",       "INOTIFY_FILE", "EXT_FILES",      "FANOTIFY_FILE", "FIFO",
      "PIPES",        "TTY_FILES",    "BPFMAP_FILE",    "PIDFD",
  };
  const std::string_view type = touched.substr(0, touched.find('.'));
  return std::ranges::find(kOld, type) != std::end(kOld);
}

bool Reads(std::string_view word, const std::string& touched) {
  if (Overlap(word, touched)) return true;
  return (word == "FILES" || word.starts_with(kFilesPrefix)) && IsOldFileImage(touched);
}

Result<std::vector<CheckFinding>> RunRules(const CheckedDump& dump, const CheckedChange* change) {
  CheckRun run(dump);
  if (change != nullptr) run.LimitTo(&change->file_names);
  for (const CheckRule* rule : CheckRules()) {
    if (change == nullptr || CanConcern(*rule, *change)) run.Run(*rule);
    if (dump.failure()) return *dump.failure();
  }
  return run.TakeFindings();
}

}  // namespace

const std::vector<const CheckRule*>& CheckRules() {
  static const auto* const rules = [] {
    auto* all = new std::vector<const CheckRule*>;
    for (const auto table :
         {ImageRules(), TreeRules(), MemoryRules(), PageRules(), DescriptorRules(), EventRules(),
          SocketRules(), MountRules(), NamespaceRules()}) {
      for (const CheckRule& rule : table) all->push_back(&rule);
    }
    return all;
  }();
  return *rules;
}

const CheckRule* FindCheckRule(std::string_view id) {
  const auto& rules = CheckRules();
  const auto found = std::ranges::find(rules, id, &CheckRule::id);
  return found == rules.end() ? nullptr : *found;
}

bool CanConcern(const CheckRule& rule, const CheckedChange& change) {
  std::string_view rest = rule.reads;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word == "*" || std::ranges::any_of(change.touched, [&](const std::string& touched) {
          return Reads(word, touched);
        })) {
      return true;
    }
  }
  return false;
}

Result<std::vector<CheckFinding>> CheckDump(const CheckedDump& dump) {
  return RunRules(dump, nullptr);
}

Result<std::vector<CheckFinding>> CheckChange(const CheckedDump& dump,
                                              const CheckedChange& change) {
  return RunRules(dump, &change);
}

bool HasFindings(const std::vector<CheckFinding>& findings) {
  return std::ranges::any_of(findings, [](const CheckFinding& finding) {
    return finding.rule->severity != CheckSeverity::kNote;
  });
}

}  // namespace ckpt
