#include "restorer/given_pages.h"

#include <algorithm>
#include <cstddef>

#include "formats/page_frames.h"
#include "formats/page_workers.h"

namespace ckpt {

namespace {

bool IsOfSameFrame(const GivenPages& given, const PagesPlan& run) {
  return given.source == run.source && run.offset_bytes >= given.offset_bytes &&
         given.offset_bytes / kPageFrameBytes == run.offset_bytes / kPageFrameBytes;
}

void Add(const PagesPlan& run, std::vector<GivenPages>& all) {
  if (all.empty() || !IsOfSameFrame(all.back(), run)) {
    all.push_back({.source = run.source, .offset_bytes = run.offset_bytes, .runs = {}});
  }
  GivenPages& given = all.back();
  given.size_bytes =
      std::max(given.size_bytes, run.offset_bytes + run.range.size_bytes() - given.offset_bytes);
  given.runs.push_back(run);
}

Result<> Give(const RestoredTask& task, const GivenPages& given) {
  std::vector<std::byte> buffer(given.size_bytes);
  CKPT_TRY(task.files->Image(given.source).Read(given.offset_bytes, buffer));
  for (const PagesPlan& run : given.runs) {
    const Bytes bytes =
        Bytes(buffer).subspan(run.offset_bytes - given.offset_bytes, run.range.size_bytes());
    CKPT_TRY(task.memory->Write(RemotePtr(run.range.start), bytes));
  }
  return success();
}

}  // namespace

std::vector<GivenPages> PlanGivenPages(std::span<const PagesPlan> pages,
                                       const std::vector<bool>& is_compressed) {
  std::vector<GivenPages> all;
  for (PagesPlan rest : pages) {
    if (!is_compressed[rest.source]) continue;
    while (rest.range.start < rest.range.end) {
      PagesPlan run = rest;
      const uint64_t to_bound = kPageFrameBytes - rest.offset_bytes % kPageFrameBytes;
      run.range.end = std::min(rest.range.end, rest.range.start + to_bound);
      Add(run, all);
      rest.range.start = run.range.end;
      rest.offset_bytes += run.range.size_bytes();
    }
  }
  return all;
}

Result<> GivePages(const RestoredTask& task, std::span<const PagesPlan> pages) {
  const std::vector<GivenPages> all = PlanGivenPages(pages, task.files->compressed());
  return WorkOnPieces(all.size(), DefaultThreadCount(),
                      [&](size_t index) { return Give(task, all[index]); });
}

}  // namespace ckpt
