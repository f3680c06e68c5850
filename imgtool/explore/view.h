// What the views of `imgtool x` have in common.
#ifndef IMGTOOL_EXPLORE_VIEW_H_
#define IMGTOOL_EXPLORE_VIEW_H_

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "imgtool/explore/dump_reader.h"
#include "imgtool/explore/dumped_tasks.h"
#include "imgtool/explore/listing.h"

namespace ckpt {

struct ViewInput {
  DumpReader& reader;
  std::set<uint32_t> pids = {};  // to be shown; empty for all
  bool shows_arguments = false;
  // The dump and its parents; with shows_arguments only.
  const std::vector<DumpDirectory>* chain = nullptr;

  bool Shows(uint32_t pid) const { return pids.empty() || pids.contains(pid); }
};

using View = Result<> (*)(const ViewInput& input, Listing& listing);

// "pid 7 (bash)", with what state it is in where it is not alive.
inline std::string TaskHeading(const DumpedTask& task) {
  const std::string comm = CommOf(task);
  std::string text = fmt::format("pid {}", task.pid());
  if (!comm.empty()) text += fmt::format(" ({})", comm);
  if (StateOf(task) != TaskState::kAlive) text += ", " + StateText(task);
  return text;
}

// The fields that name a process, in every list of them.
inline void ListTaskName(const DumpedTask& task, Listing& listing) {
  listing.Number("pid", task.pid());
  listing.Text("comm", CommOf(task));
  listing.Text("state", StateText(task));
}

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_VIEW_H_
