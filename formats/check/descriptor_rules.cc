#include "formats/check/descriptor_rules.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/tty.pb.h"

namespace ckpt {

namespace {

using FdinfoRef = EntryRef<pb::fdinfo_entry>;

constexpr int kAccessMode = 3;  // O_ACCMODE
constexpr int kWriteOnly = 1;   // O_WRONLY

CheckPlace PlaceOf(const CheckedFile& file) { return {file.image->file_name, file.index}; }

std::string In(const CheckedFile& file, std::string_view field) {
  return std::string(file.prefix) + std::string(field);
}

void CheckDescriptorFiles(CheckRun& run) {
  run.dump().ForEach<pb::fdinfo_entry>(ImageType::kFdinfo, [&](const FdinfoRef& fd) {
    if (!run.files().are_whole() || run.files().Find(fd.message->id()) != nullptr) return;
    run.Add(fd, "id", fmt::format("{}, of descriptor {}", fd.message->id(), fd.message->fd()),
            "a file of files.img");
  });
}

void CheckDescriptorTypes(CheckRun& run) {
  run.dump().ForEach<pb::fdinfo_entry>(ImageType::kFdinfo, [&](const FdinfoRef& fd) {
    const CheckedFile* file = run.files().Find(fd.message->id());
    if (file == nullptr || file->type == fd.message->type()) return;
    run.Add(fd, "type", FileTypeName(fd.message->type()),
            fmt::format("{}, which file {} is", FileTypeName(file->type), file->id));
  });
}

void CheckDescriptorsUnique(CheckRun& run) {
  for (const CheckedImage& image : run.dump().ImagesOf(ImageType::kFdinfo)) {
    std::set<uint32_t> seen;
    run.dump().ForEachIn<pb::fdinfo_entry>(image, [&](const FdinfoRef& fd) {
      if (seen.insert(fd.message->fd()).second) return;
      run.Add(fd, "fd", fmt::format("{} again", fd.message->fd()), "descriptors that occur once");
    });
  }
}

void CheckFilesUnique(CheckRun& run) {
  for (const CheckedFile& file : run.files().all()) {
    const CheckedFile& first = *run.files().Find(file.id);
    if (&first == &file || IsTunPair(file, first)) continue;
    run.Add(PlaceOf(file), "id",
            fmt::format("{}, as in {}: entry {}", file.id, first.image->file_name, first.index),
            "ids that occur once");
  }
}

uint32_t IdOf(const google::protobuf::Message& body) {
  const auto* field = body.GetDescriptor()->FindFieldByName("id");
  return body.GetReflection()->GetUInt32(body, field);
}

void CheckFileBodies(CheckRun& run) {
  for (const CheckedFile& file : run.files().all()) {
    if (file.body == nullptr) {
      run.Add(PlaceOf(file), "type", fmt::format("{} without its field", FileTypeName(file.type)),
              "the field that the type names");
    } else if (IdOf(*file.body) != file.id) {
      run.Add(PlaceOf(file), In(file, "id"), fmt::format("{}", IdOf(*file.body)),
              fmt::format("{}, the id of the entry", file.id));
    }
  }
}

// Who refers to files but descriptors.
class FileReferences {
 public:
  explicit FileReferences(CheckRun& run) : run_(run) {
    AddTables();
    AddMemory();
    AddFiles();
  }
  bool Has(uint32_t id) const { return ids_.contains(id); }

 private:
  void AddTables() {
    run_.dump().ForEach<pb::fdinfo_entry>(
        ImageType::kFdinfo, [&](const FdinfoRef& fd) { ids_.insert(fd.message->id()); });
    run_.dump().ForEach<pb::fs_entry>(ImageType::kFs, [&](const EntryRef<pb::fs_entry>& fs) {
      ids_.insert(fs.message->cwd_id());
      ids_.insert(fs.message->root_id());
    });
    run_.dump().ForEach<pb::sk_packet_entry>(
        ImageType::kSkQueues, [&](const EntryRef<pb::sk_packet_entry>& packet) {
          for (const pb::scm_entry& scm : packet.message->scm()) {
            ids_.insert(scm.rights().begin(), scm.rights().end());
          }
        });
  }

  void AddMemory() {
    const auto add = [&](const pb::vma_entry& vma) {
      if (vma.shmid() <= UINT32_MAX) ids_.insert(static_cast<uint32_t>(vma.shmid()));
    };
    run_.dump().ForEach<pb::mm_entry>(ImageType::kMm, [&](const EntryRef<pb::mm_entry>& mm) {
      ids_.insert(mm.message->exe_file_id());
      for (const pb::vma_entry& vma : mm.message->vmas()) add(vma);
    });
    run_.dump().ForEach<pb::vma_entry>(
        ImageType::kVmas, [&](const EntryRef<pb::vma_entry>& vma) { add(*vma.message); });
  }

  void AddFiles() {
    run_.files().ForEach<pb::fifo_entry>(
        [&](const CheckedFile&, const pb::fifo_entry& fifo) { ids_.insert(fifo.regf_id()); });
    run_.files().ForEach<pb::tty_file_entry>(
        [&](const CheckedFile&, const pb::tty_file_entry& tty) { ids_.insert(tty.regf_id()); });
    run_.dump().ForEach<pb::remap_file_path_entry>(
        ImageType::kRemapFpath, [&](const EntryRef<pb::remap_file_path_entry>& remap) {
          ids_.insert(remap.message->remap_id());
        });
  }

  CheckRun& run_;
  std::set<uint32_t> ids_;
};

// Sockets that nobody holds are dumped with the sockets that they are connected to.
void CheckFilesUsed(CheckRun& run) {
  const FileReferences references(run);
  for (const ImageType type : {ImageType::kFdinfo, ImageType::kFs, ImageType::kMm,
                               ImageType::kSkQueues, ImageType::kRemapFpath}) {
    if (!run.dump().AreWhole(type)) return;
  }
  for (const CheckedFile& file : run.files().all()) {
    if (references.Has(file.id) || file.type == pb::UNIXSK || file.type == pb::INETSK) continue;
    run.Add(PlaceOf(file), "id",
            fmt::format("{}, a file of type {} that nothing refers to", file.id,
                        FileTypeName(file.type)),
            "a descriptor, mapping or directory for each file");
  }
}

void CheckPaths(CheckRun& run) {
  run.files().ForEach<pb::reg_file_entry>(
      [&](const CheckedFile& file, const pb::reg_file_entry& reg) {
        if (reg.ext() || reg.name().starts_with('/')) return;
        run.Add(PlaceOf(file), In(file, "name"), fmt::format("\"{}\"", reg.name()),
                "a path that starts with a slash");
      });
}

void CheckNodes(CheckRun& run) {
  const auto check = [&](const CheckedFile& file, uint32_t id) {
    const CheckedFile* node = run.files().Find(id);
    if (node != nullptr && node->type == pb::REG) return;
    if (node == nullptr && !run.files().are_whole()) return;
    run.Add(PlaceOf(file), In(file, "regf_id"),
            node == nullptr ? fmt::format("{}", id)
                            : fmt::format("{}, a file of type {}", id, FileTypeName(node->type)),
            "a regular file of files.img");
  };
  run.files().ForEach<pb::fifo_entry>([&](const CheckedFile& file, const pb::fifo_entry& fifo) {
    if (fifo.has_regf_id()) check(file, fifo.regf_id());
  });
  run.files().ForEach<pb::tty_file_entry>(
      [&](const CheckedFile& file, const pb::tty_file_entry& tty) {
        if (tty.has_regf_id()) check(file, tty.regf_id());
      });
}

std::set<uint32_t> Terminals(CheckRun& run) {
  std::set<uint32_t> ids;
  run.dump().ForEach<pb::tty_info_entry>(
      ImageType::kTtyInfo,
      [&](const EntryRef<pb::tty_info_entry>& info) { ids.insert(info.message->id()); });
  return ids;
}

void CheckTerminals(CheckRun& run) {
  const std::set<uint32_t> ids = Terminals(run);
  if (!run.dump().AreWhole(ImageType::kTtyInfo)) return;
  run.files().ForEach<pb::tty_file_entry>(
      [&](const CheckedFile& file, const pb::tty_file_entry& tty) {
        if (ids.contains(tty.tty_info_id())) return;
        run.Add(PlaceOf(file), In(file, "tty_info_id"), fmt::format("{}", tty.tty_info_id()),
                "a terminal of tty-info.img");
      });
}

void CheckTerminalData(CheckRun& run) {
  const std::set<uint32_t> ids = Terminals(run);
  if (!run.dump().AreWhole(ImageType::kTtyInfo)) return;
  run.dump().ForEach<pb::tty_data_entry>(
      ImageType::kTtyData, [&](const EntryRef<pb::tty_data_entry>& data) {
        if (ids.contains(data.message->tty_id())) return;
        run.Add(data, "tty_id", fmt::format("{}", data.message->tty_id()),
                "a terminal of tty-info.img");
      });
}

std::map<uint32_t, EntryRef<pb::pipe_data_entry>> PipeData(CheckRun& run, ImageType type) {
  std::map<uint32_t, EntryRef<pb::pipe_data_entry>> data;
  run.dump().ForEach<pb::pipe_data_entry>(type, [&](const EntryRef<pb::pipe_data_entry>& entry) {
    data.try_emplace(entry.message->pipe_id(), entry);
  });
  return data;
}

// Dumpers write the size of every pipe of which they see an end that reads.
void CheckPipeData(CheckRun& run) {
  if (!run.dump().AreWhole(ImageType::kPipesData)) return;
  const auto data = PipeData(run, ImageType::kPipesData);
  run.files().ForEach<pb::pipe_entry>([&](const CheckedFile& file, const pb::pipe_entry& pipe) {
    const bool reads = (pipe.flags() & kAccessMode) != kWriteOnly;
    if (!reads || data.contains(pipe.pipe_id())) return;
    run.Add(PlaceOf(file), In(file, "pipe_id"),
            fmt::format("{}, of which pipes-data.img has nothing", pipe.pipe_id()),
            "what the pipe holds");
  });
}

void CheckPipeDataUnique(CheckRun& run) {
  for (const ImageType type : {ImageType::kPipesData, ImageType::kFifoData}) {
    const auto data = PipeData(run, type);
    run.dump().ForEach<pb::pipe_data_entry>(type, [&](const EntryRef<pb::pipe_data_entry>& entry) {
      if (data.at(entry.message->pipe_id()).message == entry.message) return;
      run.Add(entry, "pipe_id", fmt::format("{} again", entry.message->pipe_id()),
              "pipes that occur once");
    });
  }
}

void CheckPipeDataUsed(CheckRun& run) {
  std::set<uint32_t> pipes;
  std::set<uint32_t> fifos;
  run.files().ForEach<pb::pipe_entry>(
      [&](const CheckedFile&, const pb::pipe_entry& pipe) { pipes.insert(pipe.pipe_id()); });
  run.files().ForEach<pb::fifo_entry>(
      [&](const CheckedFile&, const pb::fifo_entry& fifo) { fifos.insert(fifo.pipe_id()); });
  if (!run.files().are_whole()) return;
  const auto check = [&](ImageType type, const std::set<uint32_t>& used) {
    run.dump().ForEach<pb::pipe_data_entry>(type, [&](const EntryRef<pb::pipe_data_entry>& entry) {
      if (used.contains(entry.message->pipe_id())) return;
      run.Add(entry, "pipe_id", fmt::format("{}", entry.message->pipe_id()), "a pipe of files.img");
    });
  };
  check(ImageType::kPipesData, pipes);
  check(ImageType::kFifoData, fifos);
}

void CheckMemoryFiles(CheckRun& run) {
  std::set<uint64_t> inodes;
  run.dump().ForEach<pb::memfd_inode_entry>(ImageType::kMemfdInode,
                                            [&](const EntryRef<pb::memfd_inode_entry>& inode) {
                                              inodes.insert(inode.message->inode_id());
                                            });
  if (!run.dump().AreWhole(ImageType::kMemfdInode)) return;
  run.files().ForEach<pb::memfd_file_entry>(
      [&](const CheckedFile& file, const pb::memfd_file_entry& memfd) {
        if (inodes.contains(memfd.inode_id())) return;
        run.Add(PlaceOf(file), In(file, "inode_id"), fmt::format("{}", memfd.inode_id()),
                "an inode of memfd.img");
      });
}

void CheckMemoryInodes(CheckRun& run) {
  std::set<uint64_t> seen;
  run.dump().ForEach<pb::memfd_inode_entry>(
      ImageType::kMemfdInode, [&](const EntryRef<pb::memfd_inode_entry>& inode) {
        if (!seen.insert(inode.message->inode_id()).second) {
          run.Add(inode, "inode_id", fmt::format("{} again", inode.message->inode_id()),
                  "inodes that occur once");
        }
        if (!run.dump().Has(ImageType::kShmemPagemap, inode.message->shmid())) {
          run.Add(inode, "shmid", fmt::format("{}", inode.message->shmid()),
                  ImageFileName(ImageType::kShmemPagemap, inode.message->shmid()));
        }
      });
}

void CheckBpfMaps(CheckRun& run) {
  std::set<uint32_t> maps;
  run.files().ForEach<pb::bpfmap_file_entry>(
      [&](const CheckedFile&, const pb::bpfmap_file_entry& map) { maps.insert(map.map_id()); });
  if (!run.files().are_whole()) return;
  run.dump().ForEach<pb::bpfmap_data_entry>(
      ImageType::kBpfmapData, [&](const EntryRef<pb::bpfmap_data_entry>& data) {
        if (maps.contains(data.message->map_id())) return;
        run.Add(data, "map_id", fmt::format("{}", data.message->map_id()), "a map of files.img");
      });
}

// The descriptors of a table, which many locks may be held through.
class TableDescriptors {
 public:
  explicit TableDescriptors(const CheckedDump& dump) : dump_(dump) {}

  bool MayHave(const CheckedImage& table, int32_t fd) {
    if (!dump_.Load(table).is_whole) return true;
    const auto made = tables_.try_emplace(&table);
    std::set<int32_t>& fds = made.first->second;
    if (made.second) {
      dump_.ForEachIn<pb::fdinfo_entry>(table, [&](const FdinfoRef& entry) {
        fds.insert(static_cast<int32_t>(entry.message->fd()));
      });
    }
    return fds.contains(fd);
  }

 private:
  const CheckedDump& dump_;
  std::map<const CheckedImage*, std::set<int32_t>> tables_;
};

void CheckLocks(CheckRun& run) {
  TableDescriptors descriptors(run.dump());
  run.dump().ForEach<pb::file_lock_entry>(
      ImageType::kFileLocks, [&](const EntryRef<pb::file_lock_entry>& lock) {
        const CheckedTask* task = run.tasks().Find(static_cast<uint32_t>(lock.message->pid()));
        if (task == nullptr) {
          run.Add(lock, "pid", fmt::format("{}", lock.message->pid()), "a task of pstree.img");
          return;
        }
        const CheckedImage* table = run.dump().Find(ImageType::kFdinfo, task->table);
        if (table == nullptr || descriptors.MayHave(*table, lock.message->fd())) return;
        run.Add(lock, "fd", fmt::format("{}", lock.message->fd()),
                fmt::format("a descriptor of {}", table->file_name));
      });
}

void CheckRawFacts(CheckRun& run) {
  run.dump().ForEach<pb::raw_fact_entry>(
      ImageType::kCkptRaw, [&](const EntryRef<pb::raw_fact_entry>& fact) {
        if (!fact.message->has_mapping() || !run.files().are_whole()) return;
        const uint32_t id = fact.message->mapping().reg_file_id();
        if (run.files().Find(id) != nullptr) return;
        run.Add(fact, "mapping.reg_file_id", fmt::format("{}", id), "a file of files.img");
      });
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"fd-file", kError, "the file of a descriptor is in files.img", "FDINFO FILES.id",
     CheckDescriptorFiles},
    {"fd-type", kError, "a descriptor and its file are of one type", "FDINFO FILES.id FILES.type",
     CheckDescriptorTypes},
    {"fd-duplicate", kError, "a descriptor occurs once in its table", "FDINFO",
     CheckDescriptorsUnique},
    {"file-duplicate", kError, "no two files have one id", "FILES.id", CheckFilesUnique},
    // Which types of file there are is in the names of these fields.
    {"file-body", kError, "a file has the field of its type, with the id of its entry",
     "FILES.id FILES.type FILES.reg.id FILES.usk.id FILES.isk.id FILES.tty.id FILES.fifo.id "
     "FILES.ify.id FILES.ffy.id FILES.nlsk.id FILES.psk.id FILES.pipe.id",
     CheckFileBodies},
    {"file-unused", kWarning, "something refers to each file",
     "FILES.id FILES.type FDINFO FS MM SK_QUEUES REMAP_FPATH VMAS", CheckFilesUsed},
    {"file-path", kError, "the path of a file starts with a slash", "FILES.reg.name", CheckPaths},
    {"file-node", kError, "the node of a fifo or terminal is a file of files.img",
     "FILES.id FILES.type FILES.fifo.regf_id FILES.tty.regf_id", CheckNodes},
    {"tty-info", kError, "the terminal of a file is in tty-info.img",
     "FILES.tty.tty_info_id TTY_INFO", CheckTerminals},
    {"tty-data", kWarning, "what terminals hold is of terminals of tty-info.img",
     "TTY_INFO TTY_DATA", CheckTerminalData},
    {"pipe-data", kError, "what a pipe holds is in pipes-data.img", "FILES.pipe PIPES_DATA",
     CheckPipeData},
    {"pipe-duplicate", kError, "a pipe's content occurs once", "PIPES_DATA FIFO_DATA",
     CheckPipeDataUnique},
    {"pipe-unused", kWarning, "content of pipes is of pipes that there are",
     "FILES.id FILES.pipe FILES.fifo PIPES_DATA FIFO_DATA", CheckPipeDataUsed},
    {"memfd-inode", kError, "the inode of a memory file is in memfd.img", "FILES.memfd MEMFD_INODE",
     CheckMemoryFiles},
    {"memfd-pages", kError, "an inode of a memory file occurs once and has a pagemap",
     "MEMFD_INODE SHMEM_PAGEMAP", CheckMemoryInodes},
    {"bpf-unused", kWarning, "content of BPF maps is of maps that there are",
     "FILES.bpf BPFMAP_DATA", CheckBpfMaps},
    {"lock-owner", kError, "a file lock is held by a task through a descriptor of it",
     "FILE_LOCKS PSTREE FDINFO IDS", CheckLocks},
    {"raw-file", kWarning, "recorded mappings are of files of files.img", "CKPT_RAW FILES.id",
     CheckRawFacts},
};

}  // namespace

std::span<const CheckRule> DescriptorRules() { return kRules; }

}  // namespace ckpt
