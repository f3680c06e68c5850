#include "imgtool/explore/diff_command.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/vma_status.h"
#include "imgtool/dump_input.h"
#include "imgtool/explore/diff_report.h"
#include "imgtool/explore/dump_meaning.h"
#include "imgtool/explore/dump_objects.h"
#include "imgtool/explore/mappings.h"
#include "imgtool/explore/page_diff.h"
#include "imgtool/failures.h"

namespace ckpt {
namespace {

// One of the two dumps, open.
struct DiffSide {
  static Result<std::unique_ptr<DiffSide>> Open(const std::string& operand,
                                                const Invocation& invocation, bool needs_pages,
                                                Failures& failures) {
    CKPT_TRY(DumpInput input,
             DumpInput::Open(operand, invocation, needs_pages ? NeedsAllFiles : NeedsAllButPages));
    auto side = std::make_unique<DiffSide>(DiffSide{std::move(input), {}, {}, {}});
    CKPT_TRY(side->chain, side->input.OpenChain());
    side->reader.emplace(side->chain.front(), side->input.name(), failures);
    CKPT_TRY(side->meaning, DumpMeaning::Read(*side->reader));
    return side;
  }

  static bool NeedsAllButPages(std::string_view file_name) {
    const auto image = FindImageTypeByFileName(file_name);
    return !image || image->type != ImageType::kPages;
  }

  // Nothing where the dump has none, or only damaged ones, which are reported.
  std::optional<PageRanges> OpenPages(ImageType type, uint64_t id) {
    if (!reader->Has(type, id)) return std::nullopt;
    return reader->Kept(PageRanges::Open(chain, type, id), type, id);
  }

  DumpInput input;
  std::vector<DumpDirectory> chain;
  std::optional<DumpReader> reader;
  std::unique_ptr<DumpMeaning> meaning;
};

class Diff {
 public:
  Diff(DiffSide& old_side, DiffSide& new_side, DiffReport& report)
      : old_(old_side), new_(new_side), report_(report) {}

  void CompareTasks() {
    report_.BeginSection("tasks");
    for (const uint32_t pid : AllPids()) {
      const DumpedTask* old_task = old_.meaning->FindTask(pid);
      const DumpedTask* new_task = new_.meaning->FindTask(pid);
      if (old_task == nullptr || new_task == nullptr) {
        const auto* task = old_task == nullptr ? new_task : old_task;
        const std::string about = CommOf(*task);
        report_.AddObject(old_task == nullptr ? ChangeKind::kNew : ChangeKind::kGone,
                          {fmt::format("pid {}", pid), about, {}});
        continue;
      }
      report_.CompareObjects(TaskObjects(*old_.meaning, *old_task),
                             TaskObjects(*new_.meaning, *new_task));
    }
  }

  void CompareEach(const char* section, Objects (*objects)(const DumpMeaning&, const DumpedTask&)) {
    report_.BeginSection(section);
    for (const uint32_t pid : CommonPids()) {
      if (report_.stopped()) return;
      report_.CompareObjects(objects(*old_.meaning, *old_.meaning->FindTask(pid)),
                             objects(*new_.meaning, *new_.meaning->FindTask(pid)));
    }
  }

  void CompareAll(const char* section, Objects (*objects)(const DumpMeaning&)) {
    report_.BeginSection(section);
    report_.CompareObjects(objects(*old_.meaning), objects(*new_.meaning));
  }

  void ComparePagesOfTasks() {
    report_.BeginSection("pages");
    for (const uint32_t pid : CommonPids()) {
      if (report_.stopped()) return;
      CollectAnonymous(pid);
      const PageComparison how = {[this](uint64_t address) { return IsAnonymous(address); },
                                  RseqAreas(pid)};
      CompareMemory(ImageType::kPagemap, pid, pid, fmt::format("pid {}", pid), how);
    }
    CompareSharedMemories();
  }

 private:
  std::set<uint32_t> AllPids() const {
    std::set<uint32_t> pids;
    for (const DiffSide* side : {&old_, &new_}) {
      for (const DumpedTask& task : side->meaning->tasks()) pids.insert(task.pid());
    }
    return pids;
  }

  std::vector<uint32_t> CommonPids() const {
    std::vector<uint32_t> pids;
    for (const uint32_t pid : AllPids()) {
      const bool is_common =
          old_.meaning->FindTask(pid) != nullptr && new_.meaning->FindTask(pid) != nullptr;
      if (is_common) pids.push_back(pid);
    }
    return pids;
  }

  // Where both have private memory without a file.
  void CollectAnonymous(uint32_t pid) {
    anonymous_.clear();
    for (const auto& vma : ReadMappings(*new_.reader, pid).value_or(std::vector<pb::vma_entry>())) {
      if ((vma.status() & kVmaAnonPrivate) != 0) anonymous_.push_back({vma.start(), vma.end()});
    }
  }

  // The kernel notes there on which processor a thread runs. Behind that stands the address of the
  // critical section, which is the program's.
  std::vector<ByteRange> RseqAreas(uint32_t pid) const {
    constexpr uint64_t kProcessorBytes = 8;  // cpu_id_start, cpu_id
    constexpr uint64_t kNodeOffset = 20;     // node_id, mm_cid, and what newer kernels add
    std::vector<ByteRange> areas;
    for (const uint32_t tid : new_.meaning->FindTask(pid)->place.threads()) {
      const auto core = new_.reader->Single<pb::core_entry>(ImageType::kCore, tid);
      if (!core || !core->thread_core().has_rseq_entry()) continue;
      const pb::rseq_entry& rseq = core->thread_core().rseq_entry();
      areas.push_back({rseq.rseq_abi_pointer(), kProcessorBytes});
      if (rseq.rseq_abi_size() <= kNodeOffset) continue;
      areas.push_back({rseq.rseq_abi_pointer() + kNodeOffset, rseq.rseq_abi_size() - kNodeOffset});
    }
    return areas;
  }

  bool IsAnonymous(uint64_t address) const {
    const auto after = std::ranges::upper_bound(anonymous_, address, {}, &Range::start);
    return after != anonymous_.begin() && address < std::prev(after)->end;
  }

  void CompareMemory(ImageType type, uint64_t old_id, uint64_t new_id, const std::string& object,
                     const PageComparison& how) {
    const auto old_pages = old_.OpenPages(type, old_id);
    const auto new_pages = new_.OpenPages(type, new_id);
    const Result<> compared = ComparePages(old_pages ? &*old_pages : nullptr,
                                           new_pages ? &*new_pages : nullptr, how, object, report_);
    if (compared.has_error()) new_.reader->Report(compared.error());
  }

  // Those that a process has mapped in both dumps, by that mapping.
  void CompareSharedMemories() {
    std::map<std::string, uint64_t> new_ids;
    for (const auto& [id, name] : new_.meaning->shared_memories()) new_ids.emplace(name, id);
    std::map<std::string, uint64_t> old_ids;
    for (const auto& [id, name] : old_.meaning->shared_memories()) old_ids.emplace(name, id);
    for (const auto& [name, old_id] : old_ids) {
      const auto found = new_ids.find(name);
      if (found == new_ids.end()) continue;
      CompareMemory(ImageType::kShmemPagemap, old_id, found->second, "shared memory of " + name,
                    PageComparison{[](uint64_t) { return true; }, {}});
    }
  }

  struct Range {
    uint64_t start;
    uint64_t end;
  };

  DiffSide& old_;
  DiffSide& new_;
  DiffReport& report_;
  std::vector<Range> anonymous_;
};

}  // namespace

void AddDiffOptions(boost::program_options::options_description& options) {
  options.add_options()("json", "JSON instead of lines")("no-pages",
                                                         "do not compare the content of memory");
  AddInputOptions(options);
}

Result<int> RunDiff(const Invocation& invocation) {
  const bool has_pages = invocation.options.count("no-pages") == 0;
  Failures failures("imgtool diff", invocation.streams.err);
  CKPT_TRY(const auto old_side,
           DiffSide::Open(invocation.operands[0], invocation, has_pages, failures));
  CKPT_TRY(const auto new_side,
           DiffSide::Open(invocation.operands[1], invocation, has_pages, failures));
  const bool has_mounts = old_side->meaning->has_mounts() && new_side->meaning->has_mounts();
  if (!has_mounts) {
    old_side->meaning->LeaveOutMounts();
    new_side->meaning->LeaveOutMounts();
  }
  DiffReport report(invocation.streams.out, invocation.options.count("json") > 0);
  Diff diff(*old_side, *new_side, report);
  diff.CompareTasks();
  diff.CompareEach("descriptors", DescriptorObjects);
  diff.CompareAll("sockets", SocketObjects);
  diff.CompareEach("mappings", MappingObjects);
  if (has_mounts) diff.CompareAll("mounts", MountObjects);
  if (has_pages) diff.ComparePagesOfTasks();
  diff.CompareAll("other images", OtherObjects);
  report.Finish();
  if (failures.exit_code() != kExitDone) return failures.exit_code();
  return report.changes() == 0 ? kExitDone : kExitFindings;
}

}  // namespace ckpt
