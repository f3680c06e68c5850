#include "restorer/dump_images.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "formats/dump_directory.h"
#include "formats/image_message.h"
#include "formats/page_ranges.h"
#include "formats/vma_status.h"
#include "restorer/findings.h"

namespace ckpt {

namespace {

// Images that nothing else refers to, and that say of a process what is not restored yet.
struct UnsupportedImage {
  ImageType type;
  std::string_view what;
};
constexpr std::array kUnsupportedImages = {
    UnsupportedImage{ImageType::kFileLocks, "file locks"},
    UnsupportedImage{ImageType::kApparmor, "AppArmor policies"},
};

class Loader {
 public:
  explicit Loader(std::vector<DumpDirectory> chain) : chain_(std::move(chain)) {}

  Result<LoadedDump> Load() {
    CKPT_TRY(dump_.images.inventory, dump().ReadSingle<pb::inventory_entry>(ImageType::kInventory));
    CKPT_TRY(const ImageFile tree, dump().Read(ImageType::kPstree));
    CKPT_TRY(const auto entries, ParseEntries<pb::pstree_entry>(tree));
    for (const pb::pstree_entry& entry : entries) LoadTask(entry);
    LoadSharedMemory();
    LoadNamespaces();
    LoadFiles();
    LoadPipeData(ImageType::kPipesData, dump_.images.pipe_data);
    LoadPipeData(ImageType::kFifoData, dump_.images.fifo_data);
    LoadSocketPackets();
    Keep(dump_.images.remaps,
         dump().ReadAllIfPresent<pb::remap_file_path_entry>(ImageType::kRemapFpath));
    Keep(dump_.images.ghosts, LoadGhostImages(dump(), dump_.images.remaps));
    Keep(dump_.images.terminals, dump().ReadAllIfPresent<pb::tty_info_entry>(ImageType::kTtyInfo));
    for (const UnsupportedImage& image : kUnsupportedImages) Refuse(image);
    CKPT_TRY(findings_.AsResult());
    return std::move(dump_);
  }

 private:
  const DumpDirectory& dump() const { return chain_.front(); }

  // The value, where there is one; the error is a finding.
  template <typename T, typename U>
  void Keep(T& value, Result<U> result) {
    if (auto kept = findings_.Keep(std::move(result))) value = std::move(*kept);
  }

  // An image with one entry, which may be missing: the plan knows for whom it must not.
  template <typename M>
  void LoadSingle(std::optional<M>& value, ImageType type, uint64_t id) {
    if (dump().Has(type, id)) Keep(value, dump().ReadSingle<M>(type, id));
  }

  void LoadTask(const pb::pstree_entry& entry) {
    TaskImages task;
    task.tree = entry;
    LoadThreads(task);
    LoadSingle(task.ids, ImageType::kIds, entry.pid());
    LoadSingle(task.mm, ImageType::kMm, entry.pid());
    LoadSingle(task.fs, ImageType::kFs, entry.pid());
    if (task.ids) {
      Keep(task.descriptors,
           dump().ReadAllIfPresent<pb::fdinfo_entry>(ImageType::kFdinfo, task.ids->files_id()));
    }
    if (task.mm) LoadPages(ImageType::kPagemap, entry.pid(), task.pages);
    dump_.images.tasks.push_back(std::move(task));
  }

  // CRIU writes no sense for the threads of a zombie.
  void LoadThreads(TaskImages& task) {
    const auto load = [&](uint32_t tid) {
      task.threads.emplace_back();
      Keep(task.threads.back(), dump().ReadSingle<pb::core_entry>(ImageType::kCore, tid));
    };
    load(task.tree.pid());
    if (task.threads.front().tc().task_state() == kDeadTaskState) return;
    for (int i = 1; i < task.tree.threads_size(); ++i) load(task.tree.threads(i));
  }

  // Newer CRIUs take it for memfds.
  void LoadSharedMemory() {
    Keep(dump_.images.memfds,
         dump().ReadAllIfPresent<pb::memfd_inode_entry>(ImageType::kMemfdInode));
    std::set<uint64_t> ids;
    for (const pb::memfd_inode_entry& memfd : dump_.images.memfds) ids.insert(memfd.shmid());
    for (const TaskImages& task : dump_.images.tasks) {
      if (!task.mm) continue;
      for (const pb::vma_entry& vma : task.mm->vmas()) {
        if ((vma.status() & kVmaAnonShared) != 0) ids.insert(vma.shmid());
      }
    }
    for (const uint64_t id : ids) {
      if (!dump().Has(ImageType::kShmemPagemap, id)) continue;
      LoadPages(ImageType::kShmemPagemap, id, dump_.images.shared_pages[id]);
    }
  }

  void LoadNamespaces() {
    if (dump().Has(ImageType::kCgroup)) {
      Keep(dump_.images.cgroups, dump().ReadSingle<pb::cgroup_entry>(ImageType::kCgroup));
    }
    const auto& tasks = dump_.images.tasks;
    if (tasks.empty() || !tasks.front().ids) return;
    Keep(dump_.images.namespaces, LoadNamespaceImages(dump(), *tasks.front().ids));
  }

  void LoadPages(ImageType type, uint64_t id, std::vector<PagesPlan>& pages) {
    const auto stored = findings_.Keep(PageRanges::Open(chain_, type, id));
    if (!stored) return;
    std::map<size_t, size_t> sources;  // by layer
    for (const StoredRange& range : stored->ranges()) {
      if (range.is_lazy) {
        findings_.Unsupported(
            "{}: pages at {:#x} were left to a page server, which is not supported",
            ImageFileName(type, id), range.start);
        return;
      }
      const auto [source, is_new] = sources.try_emplace(range.layer, dump_.pages_images.size());
      if (is_new) dump_.pages_images.push_back(stored->pages(range.layer));
      pages.push_back({.range = {range.start, range.end()},
                       .source = source->second,
                       .offset_bytes = range.file_offset});
    }
  }

  void LoadFiles() {
    if (dump().Has(ImageType::kFiles)) {
      Keep(dump_.images.files, dump().ReadAllIfPresent<pb::file_entry>(ImageType::kFiles));
      return;
    }
    // Before CRIU 3.0 each kind of file had its image.
    AddFiles(ImageType::kRegFiles, pb::REG, &pb::file_entry::mutable_reg);
    AddFiles(ImageType::kPipes, pb::PIPE, &pb::file_entry::mutable_pipe);
    AddFiles(ImageType::kFifo, pb::FIFO, &pb::file_entry::mutable_fifo);
    AddFiles(ImageType::kUnixsk, pb::UNIXSK, &pb::file_entry::mutable_usk);
    AddFiles(ImageType::kTtyFiles, pb::TTY, &pb::file_entry::mutable_tty);
    AddFiles(ImageType::kEventfdFile, pb::EVENTFD, &pb::file_entry::mutable_efd);
    AddFiles(ImageType::kSignalfd, pb::SIGNALFD, &pb::file_entry::mutable_sgfd);
    AddFiles(ImageType::kTimerfd, pb::TIMERFD, &pb::file_entry::mutable_tfd);
    AddFiles(ImageType::kEventpollFile, pb::EVENTPOLL, &pb::file_entry::mutable_epfd);
    AddWatches();
  }

  template <typename M>
  void AddFiles(ImageType image, pb::fd_types type, M* (pb::file_entry::*member)()) {
    std::vector<M> entries;
    Keep(entries, dump().ReadAllIfPresent<M>(image));
    for (M& entry : entries) {
      pb::file_entry& file = dump_.images.files.emplace_back();
      file.set_type(type);
      file.set_id(entry.id());
      *(file.*member)() = std::move(entry);
    }
  }

  // The watches of epolls, which were entries of their own with the id of the epoll.
  void AddWatches() {
    std::vector<pb::eventpoll_tfd_entry> watches;
    Keep(watches, dump().ReadAllIfPresent<pb::eventpoll_tfd_entry>(ImageType::kEventpollTfd));
    for (const pb::eventpoll_tfd_entry& watch : watches) {
      const auto epoll = std::ranges::find_if(dump_.images.files, [&](const pb::file_entry& file) {
        return file.has_epfd() && file.id() == watch.id();
      });
      if (epoll != dump_.images.files.end()) {
        *epoll->mutable_epfd()->add_tfd() = watch;
      } else {
        findings_.BadFormat("{}: epoll {} of a watch is not in {}",
                            ImageFileName(ImageType::kEventpollTfd), watch.id(),
                            ImageFileName(ImageType::kEventpollFile));
      }
    }
  }

  void LoadPipeData(ImageType type, std::vector<PipeDataImage>& contents) {
    std::optional<ImageFile> image;
    Keep(image, dump().ReadIfPresent(type));
    if (!image) return;
    for (const ImageEntry& entry : image->entries()) {
      PipeDataImage data;
      Keep(data.entry, ParseMessageAs<pb::pipe_data_entry>(entry.message));
      data.content = AsText(entry.extra);
      contents.push_back(std::move(data));
    }
  }

  void LoadSocketPackets() {
    std::optional<ImageFile> image;
    Keep(image, dump().ReadIfPresent(ImageType::kSkQueues));
    if (!image) return;
    for (const ImageEntry& entry : image->entries()) {
      SocketPacketImage packet;
      Keep(packet.entry, ParseMessageAs<pb::sk_packet_entry>(entry.message));
      packet.content = AsText(entry.extra);
      dump_.images.socket_packets.push_back(std::move(packet));
    }
  }

  void Refuse(const UnsupportedImage& image) {
    std::optional<ImageFile> found;
    Keep(found, dump().ReadIfPresent(image.type));
    if (found && !found->entries().empty()) {
      findings_.Unsupported("{}: {} are not supported", ImageFileName(image.type), image.what);
    }
  }

  std::vector<DumpDirectory> chain_;
  LoadedDump dump_;
  Findings findings_;
};

}  // namespace

Result<LoadedDump> LoadDump(const std::string& path) {
  CKPT_TRY(std::vector<DumpDirectory> chain, OpenDumpChain(path));
  return Loader(std::move(chain)).Load();
}

}  // namespace ckpt
