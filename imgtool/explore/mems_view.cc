#include "imgtool/explore/mems_view.h"

#include <map>
#include <optional>

#include "formats/pagemap.h"
#include "formats/vma_status.h"
#include "imgtool/explore/file_context.h"
#include "imgtool/explore/mappings.h"
#include "imgtool/explore/open_files.h"
#include "imgtool/explore/page_counts.h"

namespace ckpt {
namespace {

constexpr Column kMappingColumns[] = {
    {"ADDRESS", "address"}, {"PERM", "permissions"}, {"OFFSET", "offset"},
    {"KIND", "kind"},       {"NAME", "name"},
};

constexpr Column kPageColumns[] = {
    {"ADDRESS", "address"},
    {"PERM", "permissions"},
    {"PAGES", "pages", true},
    {"PRESENT", "present", true},
    {"PARENT", "in_parent", true},
    {"LAZY", "lazy", true},
    {"NAME", "name"},
};

class MemoryView {
 public:
  MemoryView(const ViewInput& input, Listing& listing, const std::vector<DumpedTask>& tasks)
      : input_(input),
        listing_(listing),
        files_(FileDescriptions::Read(input.reader)),
        tables_(DescriptorTables::Read(input.reader, tasks)),
        context_(FileContext::Read(input.reader, files_, tables_)) {}

  void ListTaskMappings(const DumpedTask& task) {
    BeginTask(task);
    listing_.BeginList("mappings", kMappingColumns);
    for (const pb::vma_entry& vma : mappings_) {
      listing_.BeginItem();
      ListMapping(vma);
      listing_.EndItem();
    }
    listing_.EndList();
    listing_.EndItem();
  }

  void ListTaskPages(const DumpedTask& task) {
    BeginTask(task);
    const auto pagemap = PagemapOf(task);
    listing_.BeginList("mappings", kPageColumns);
    PageCounts sum;
    uint64_t mapped = 0;
    for (const pb::vma_entry& vma : mappings_) {
      const PageCounts counts = CountMapping(vma, pagemap);
      mapped += PagesOf(vma);
      sum.Add(counts);
      ListMappingPages(vma, counts);
    }
    listing_.EndList();
    ListTotals(mapped, sum, pagemap);
    listing_.EndItem();
    total_.Add(sum);
  }

  void ListGrandTotal() {
    listing_.Number("present", total_.present);
    listing_.Number("in_parent", total_.in_parent);
    listing_.Number("lazy", total_.lazy);
    listing_.Heading(fmt::format("all processes: {} pages present, {} in parent, {} lazy",
                                 total_.present, total_.in_parent, total_.lazy));
  }

 private:
  static uint64_t PagesOf(const pb::vma_entry& vma) {
    return vma.end() > vma.start() ? (vma.end() - vma.start()) / kPageBytes : 0;
  }

  void BeginTask(const DumpedTask& task) {
    auto found = ReadMappings(input_.reader, task.pid());
    const bool is_missing = !found && StateOf(task) != TaskState::kDead;
    mappings_ = found ? std::move(*found) : std::vector<pb::vma_entry>();
    listing_.BeginItem();
    ListTaskName(task, listing_);
    std::string heading = TaskHeading(task);
    if (is_missing) {
      const std::string missing = ImageFileName(ImageType::kMm, task.pid());
      listing_.Text("missing", missing);
      heading += ", no " + missing;
    }
    listing_.Heading(heading);
  }

  void ListMapping(const pb::vma_entry& vma) {
    listing_.Number("start", vma.start());
    listing_.Number("end", vma.end());
    listing_.Cell("address", fmt::format("{:08x}-{:08x}", vma.start(), vma.end()));
    listing_.Text("permissions", PermissionsText(vma));
    listing_.Number("pgoff", vma.pgoff());
    listing_.Cell("offset", fmt::format("{:08x}", vma.pgoff()));
    listing_.Text("kind", MappingKind(vma));
    listing_.Text("name", MappingName(vma, context_));
  }

  void ListMappingPages(const pb::vma_entry& vma, const PageCounts& counts) {
    listing_.BeginItem();
    ListMapping(vma);
    listing_.Number("pages", PagesOf(vma));
    ListCounts(counts);
    listing_.EndItem();
  }

  void ListCounts(const PageCounts& counts) {
    listing_.Number("present", counts.present);
    listing_.Number("in_parent", counts.in_parent);
    listing_.Number("lazy", counts.lazy);
  }

  void ListTotals(uint64_t mapped, const PageCounts& sum, const std::optional<Pagemap>& pagemap) {
    listing_.Number("pages", mapped);
    ListCounts(sum);
    listing_.Line(fmt::format("{} pages mapped, {} present, {} in parent, {} lazy", mapped,
                              sum.present, sum.in_parent, sum.lazy));
    if (pagemap) listing_.Number("pages_id", pagemap->pages_id);
  }

  std::optional<Pagemap> PagemapOf(const DumpedTask& task) {
    return ReadPagemap(ImageType::kPagemap, task.pid());
  }

  std::optional<Pagemap> ReadPagemap(ImageType type, uint64_t id) {
    const auto image = input_.reader.Image(type, id);
    if (!image) return std::nullopt;
    return input_.reader.Kept(ParsePagemap(*image), type, id);
  }

  // Memory that processes share has a pagemap of its own, by offset; it counts for each of them.
  PageCounts CountMapping(const pb::vma_entry& vma, const std::optional<Pagemap>& pagemap) {
    constexpr uint32_t kShared = kVmaAnonShared | kVmaSysvIpc | kVmaMemfd;
    if ((vma.status() & kShared) != 0) return CountShared(vma);
    if (!pagemap) return {};
    return CountPages(pagemap->ranges, vma.start(), vma.end());
  }

  PageCounts CountShared(const pb::vma_entry& vma) {
    const uint64_t id = SharedMemoryId(vma);
    auto found = shared_.find(id);
    if (found == shared_.end()) {
      auto pagemap = ReadPagemap(ImageType::kShmemPagemap, id);
      found = shared_.emplace(id, pagemap ? std::move(pagemap->ranges) : std::vector<PageRange>())
                  .first;
    }
    const uint64_t size = vma.end() > vma.start() ? vma.end() - vma.start() : 0;
    if (vma.pgoff() > UINT64_MAX - size) return {};
    return CountPages(found->second, vma.pgoff(), vma.pgoff() + size);
  }

  // A memfd is mapped as a file, whose inode has the number.
  uint64_t SharedMemoryId(const pb::vma_entry& vma) const {
    if ((vma.status() & kVmaMemfd) == 0) return vma.shmid();
    const auto* file = files_.Find(pb::MEMFD, static_cast<uint32_t>(vma.shmid()));
    return file == nullptr ? vma.shmid() : context_.SharedMemoryOf(file->memfd());
  }

  const ViewInput& input_;
  Listing& listing_;
  FileDescriptions files_;
  DescriptorTables tables_;
  FileContext context_;
  std::vector<pb::vma_entry> mappings_;                // of the task being listed
  std::map<uint64_t, std::vector<PageRange>> shared_;  // pagemaps that were read
  PageCounts total_;
};

Result<> ListEach(const ViewInput& input, Listing& listing,
                  void (MemoryView::*list)(const DumpedTask&), bool has_total) {
  CKPT_TRY(const std::vector<DumpedTask> tasks, ReadTasks(input.reader));
  MemoryView view(input, listing, tasks);
  listing.BeginList("processes");
  for (const DumpedTask& task : tasks) {
    if (listing.stopped()) break;
    if (input.Shows(task.pid())) (view.*list)(task);
  }
  listing.EndList();
  if (has_total) view.ListGrandTotal();
  return success();
}

}  // namespace

Result<> ListMappings(const ViewInput& input, Listing& listing) {
  return ListEach(input, listing, &MemoryView::ListTaskMappings, /*has_total=*/false);
}

Result<> ListPages(const ViewInput& input, Listing& listing) {
  return ListEach(input, listing, &MemoryView::ListTaskPages, /*has_total=*/true);
}

}  // namespace ckpt
