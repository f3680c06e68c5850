#include "imgtool/explore/ps_view.h"

#include <algorithm>
#include <initializer_list>
#include <span>
#include <utility>

#include "formats/page_ranges.h"
#include "formats/proto/memory.pb.h"

namespace ckpt {
namespace {

constexpr Column kColumns[] = {
    {"PID", "pid", true}, {"PPID", "ppid", true}, {"PGID", "pgid", true}, {"SID", "sid", true},
    {"STATE", "state"},   {"UID", "uid", true},   {"GID", "gid", true},   {"COMMAND", "command"},
};

// What is shown of the arguments of a process; they may be megabytes.
constexpr uint64_t kMaxArgumentBytes = 4096;

Result<std::string> ReadArguments(const ViewInput& input, const DumpedTask& task,
                                  const pb::mm_entry& mm) {
  if (mm.mm_arg_end() <= mm.mm_arg_start()) return std::string();
  CKPT_TRY(const PageRanges pages, PageRanges::Open(*input.chain, ImageType::kPagemap, task.pid()));
  const uint64_t size = std::min(mm.mm_arg_end() - mm.mm_arg_start(), kMaxArgumentBytes);
  const uint64_t first_page = mm.mm_arg_start() / kPageBytes * kPageBytes;
  const uint64_t skipped = mm.mm_arg_start() - first_page;
  std::string bytes((skipped + size + kPageBytes - 1) / kPageBytes * kPageBytes, '\0');
  CKPT_TRY(pages.Read(first_page, std::as_writable_bytes(std::span(bytes))));
  return bytes.substr(skipped, size);
}

// Separated by NUL, as /proc/PID/cmdline has them; empty where the dump does not tell.
std::string ArgumentsOf(const ViewInput& input, const DumpedTask& task) {
  if (!input.shows_arguments || !input.reader.Has(ImageType::kPagemap, task.pid())) return "";
  const auto mm = input.reader.Single<pb::mm_entry>(ImageType::kMm, task.pid());
  if (!mm) return "";
  const ImageType type = ImageType::kPagemap;
  return input.reader.Kept(ReadArguments(input, task, *mm), type, task.pid()).value_or("");
}

// As ps(1) shows them.
std::string ArgumentLine(std::string_view arguments) {
  std::string line(arguments.substr(0, arguments.find_last_not_of('\0') + 1));
  std::ranges::replace(line, '\0', ' ');
  return line;
}

void ListCredentials(const ViewInput& input, const DumpedTask& task, Listing& listing) {
  const auto creds = ReadCredentials(input.reader, task);
  if (!creds) return;
  for (const auto& [key, value] :
       std::initializer_list<std::pair<std::string_view, uint32_t>>{{"uid", creds->uid()},
                                                                    {"gid", creds->gid()},
                                                                    {"euid", creds->euid()},
                                                                    {"egid", creds->egid()},
                                                                    {"suid", creds->suid()},
                                                                    {"sgid", creds->sgid()}}) {
    listing.Number(key, value);
  }
  const std::vector<uint64_t> groups(creds->groups().begin(), creds->groups().end());
  listing.Numbers("groups", groups);
}

// The threads but the leader, whose facts are those of the process.
void ListThreads(const ViewInput& input, const DumpedTask& task, Listing& listing) {
  listing.BeginList("threads");
  for (const uint32_t tid : task.place.threads()) {
    if (tid == task.pid()) continue;
    const auto core = input.reader.Single<pb::core_entry>(ImageType::kCore, tid);
    // CRIU lists a thread of a zombie by a number that means nothing.
    if (!core && StateOf(task) == TaskState::kDead) continue;
    listing.BeginItem();
    listing.Number("tid", tid);
    listing.Cell("pid", fmt::to_string(tid));
    listing.Text("state", core ? "thread" : "thread, no core image");
    const std::string comm = core ? core->thread_core().comm() : "";
    listing.Text("comm", comm);
    listing.Cell("command", std::string(2 * task.depth + 2, ' ') + comm);
    listing.EndItem();
  }
  listing.EndList();
}

void ListState(const DumpedTask& task, Listing& listing) {
  listing.Text("state", StateText(task));
  if (StateOf(task) != TaskState::kDead) return;
  const uint32_t status = task.core->tc().exit_code();
  listing.Number("wait_status", status);
  listing.Text("exit", ExitText(status));
  listing.Cell("state", fmt::format("zombie, {}", ExitText(status)));
}

void ListProcess(const ViewInput& input, const DumpedTask& task, Listing& listing) {
  listing.BeginItem();
  listing.Number("pid", task.pid());
  listing.Number("ppid", task.place.ppid());
  listing.Number("pgid", task.place.pgid());
  listing.Number("sid", task.place.sid());
  listing.Number("depth", task.depth);
  ListState(task, listing);
  listing.Text("comm", CommOf(task));
  ListCredentials(input, task, listing);
  const std::string arguments = ArgumentsOf(input, task);
  const std::string line = arguments.empty() ? CommOf(task) : ArgumentLine(arguments);
  if (!arguments.empty()) listing.Text("args", line);
  listing.Cell("command", std::string(2 * task.depth, ' ') + line);
  ListThreads(input, task, listing);
  listing.EndItem();
}

}  // namespace

Result<> ListProcesses(const ViewInput& input, Listing& listing) {
  CKPT_TRY(const std::vector<DumpedTask> tasks, ReadTasks(input.reader));
  listing.BeginList("processes", kColumns);
  for (const DumpedTask& task : tasks) {
    if (listing.stopped()) break;
    if (input.Shows(task.pid())) ListProcess(input, task, listing);
  }
  listing.EndList();
  return success();
}

}  // namespace ckpt
