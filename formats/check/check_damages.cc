#include "formats/check/check_damages.h"

#include <map>
#include <string>

#include "formats/pagemap.h"
#include "formats/proto/bpf.pb.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/event_files.pb.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/inventory.pb.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/network.pb.h"
#include "formats/proto/notify.pb.h"
#include "formats/proto/pipes.pb.h"
#include "formats/proto/raw_facts.pb.h"
#include "formats/proto/security.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/sockets_unix.pb.h"
#include "formats/proto/task.pb.h"
#include "formats/proto/tty.pb.h"
#include "formats/vma_status.h"

namespace ckpt {

namespace {

// An id that nothing has.
constexpr uint32_t kNobody = 0x7ffffff1;

// A damage to the first entry of a type that `change` takes.
template <typename M, typename Change>
std::function<bool(SampleContainer&)> In(ImageType type, Change change) {
  return [type, change](SampleContainer& sample) { return sample.dump.Edit<M>(type, change); };
}

template <typename Change>
std::function<bool(SampleContainer&)> InTree(Change change) {
  return In<pb::pstree_entry>(ImageType::kPstree, change);
}
template <typename Change>
std::function<bool(SampleContainer&)> InFile(Change change) {
  return In<pb::file_entry>(ImageType::kFiles, change);
}
template <typename Change>
std::function<bool(SampleContainer&)> InCore(Change change) {
  return In<pb::core_entry>(ImageType::kCore, change);
}
template <typename Change>
std::function<bool(SampleContainer&)> InMm(Change change) {
  return In<pb::mm_entry>(ImageType::kMm, change);
}
template <typename Change>
std::function<bool(SampleContainer&)> InPages(Change change) {
  return In<pb::pagemap_entry>(ImageType::kPagemap, change);
}

std::function<bool(SampleContainer&)> Without(ImageType type) {
  return [type](SampleContainer& sample) { return sample.dump.RemoveFirst(type); };
}

template <typename M>
std::function<bool(SampleContainer&)> Twice(ImageType type) {
  return [type](SampleContainer& sample) {
    return sample.dump.Repeat<M>(type, [](const M&) { return true; });
  };
}

// The ids of the dumper's own namespaces, and of a task's.
pb::task_kobj_ids_entry RootIds(SampleContainer& sample) {
  pb::task_kobj_ids_entry ids;
  sample.dump.Edit<pb::inventory_entry>(ImageType::kInventory, [&](pb::inventory_entry& inventory) {
    ids = inventory.root_ids();
    return false;
  });
  return ids;
}
pb::task_kobj_ids_entry TaskIds(SampleContainer& sample) {
  pb::task_kobj_ids_entry ids;
  sample.dump.Edit<pb::task_kobj_ids_entry>(ImageType::kIds, [&](pb::task_kobj_ids_entry& task) {
    ids = task;
    return false;
  });
  return ids;
}

// Of a dump whose tasks have mounts of their own, which a restorer makes again.
std::function<bool(SampleContainer&)> OfOwnMounts(std::function<bool(SampleContainer&)> damage) {
  return [damage](SampleContainer& sample) {
    return TaskIds(sample).mnt_ns_id() != RootIds(sample).mnt_ns_id() && damage(sample);
  };
}

template <typename Change>
std::function<bool(SampleContainer&)> InMount(Change change) {
  return OfOwnMounts(In<pb::mnt_entry>(ImageType::kMnts, change));
}

// The first mapping with one of the bits.
pb::vma_entry* FindVma(pb::mm_entry& mm, uint32_t status) {
  for (pb::vma_entry& vma : *mm.mutable_vmas()) {
    if ((vma.status() & status) != 0) return &vma;
  }
  return nullptr;
}

bool IsLive(const pb::core_entry& core) { return core.has_tc() && core.tc().task_state() == 1; }

std::vector<CheckDamage> ImageDamages() {
  return {
      {"image-damaged",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kMm);
         if (name.empty()) return false;
         std::string bytes = sample.dump.files().at(name);
         bytes.pop_back();
         sample.dump.Set(name, bytes);
         return true;
       }},
      {"image-damaged",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kFiles);
         if (!name.empty()) sample.dump.Set(name, "no image at all");
         return !name.empty();
       }},
      {"image-name",
       [](SampleContainer& sample) {
         sample.dump.Set("copy of core.img",
                         sample.dump.files().at(sample.dump.FirstOf(ImageType::kCore)));
         return true;
       }},
      {"image-name",
       [](SampleContainer& sample) {
         sample.dump.Set("strange.img", "\1\2\3\4\5\6\7\10");
         return true;
       }},
      {"image-header",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kPstree);
         if (name.empty()) return false;
         // Without the magic before that of the type.
         sample.dump.Set(name, sample.dump.files().at(name).substr(sizeof(uint32_t)));
         return true;
       }},
      {"image-needed", Without(ImageType::kInventory), {"fdinfo-missing", "image-unused"}},
      {"image-needed", Without(ImageType::kPstree), {"lock-owner"}},
      {"image-needed",
       Without(ImageType::kFiles),
       {"fd-file", "vma-file", "exe-file", "fs-file", "remap-file", "queue-owner", "queue-file",
        "raw-file", "pipe-unused", "tcp-unused", "bpf-unused", "watch-owner"}},
      {"image-unused",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kFs);
         if (!name.empty()) sample.dump.Set(ImageType::kFs, kNobody, sample.dump.files().at(name));
         return !name.empty();
       }},
      {"inventory-version", In<pb::inventory_entry>(ImageType::kInventory,
                                                    [](pb::inventory_entry& inventory) {
                                                      inventory.set_img_version(3);
                                                      return true;
                                                    })},
      {"inventory-ids",
       [](SampleContainer& sample) {
         const uint32_t own = RootIds(sample).files_id();
         const std::string table = sample.dump.FirstOf(ImageType::kFdinfo);
         uint32_t old = 0;
         const bool changed = sample.dump.Edit<pb::task_kobj_ids_entry>(
             ImageType::kIds, [&](pb::task_kobj_ids_entry& ids) {
               old = ids.files_id();
               ids.set_files_id(own);
               return own != 0 && !table.empty();
             });
         if (!changed) return false;
         const std::string from = ImageFileName(ImageType::kFdinfo, old);
         if (!sample.dump.Has(from)) return false;
         sample.dump.Set(ImageType::kFdinfo, own, sample.dump.files().at(from));
         sample.dump.Remove(from);
         return true;
       },
       // Other tasks had the table, too.
       {"fdinfo-missing"}},
      {"core-missing", Without(ImageType::kCore), {"timer-thread"}},
      {"task-image", Without(ImageType::kMm), {"file-unused", "image-unused"}},
      {"task-image", Without(ImageType::kFs), {"file-unused"}},
      {"task-image", Without(ImageType::kPagemap), {"pages-unused"}},
      {"fdinfo-missing",
       Without(ImageType::kFdinfo),
       {"file-unused", "lock-owner", "epoll-target"}},
      {"unknown-field", In<pb::fs_entry>(ImageType::kFs,
                                         [](pb::fs_entry& fs) {
                                           fs.GetReflection()->MutableUnknownFields(&fs)->AddVarint(
                                               99, 1);
                                           return true;
                                         })},
      {"unknown-field", InPages([](pb::pagemap_entry& pages) {
         pages.GetReflection()->MutableUnknownFields(&pages)->AddVarint(7, 1);
         return true;
       })},
      {"unknown-value", InFile([](pb::file_entry& file) {
         if (file.type() != pb::UNIXSK) return false;
         file.mutable_usk()
             ->GetReflection()
             ->MutableUnknownFields(file.mutable_usk())
             ->AddVarint(12, 99);
         return true;
       })},
      {"other-file",
       [](SampleContainer& sample) {
         sample.dump.Set("notes.txt", "remember the milk");
         return true;
       }},
  };
}

std::vector<CheckDamage> TreeDamages() {
  return {
      {"tree-root",
       InTree([](pb::pstree_entry& task) {
         if (task.ppid() == 0) return false;
         task.set_ppid(0);
         return true;
       }),
       {"namespace-init"}},
      {"tree-parent", InTree([](pb::pstree_entry& task) {
         if (task.ppid() == 0) return false;
         task.set_ppid(kNobody);
         return true;
       })},
      {"tree-leader", InTree([](pb::pstree_entry& task) {
         if (task.threads_size() < 2) return false;
         task.mutable_threads()->SwapElements(0, 1);
         return true;
       })},
      {"pid-duplicate", InTree([](pb::pstree_entry& task) {
         task.add_threads(task.pid());
         return true;
       })},
      {"pid-zero",
       InTree([](pb::pstree_entry& task) {
         if (task.ppid() == 0) return false;
         task.set_pid(0);
         task.set_threads(0, 0);
         return true;
       }),
       {"core-missing", "image-unused", "file-unused", "pages-unused", "lock-owner", "task-image",
        "fdinfo-missing", "tree-parent", "session-gone", "group-gone"}},
      {"session-gone", InTree([](pb::pstree_entry& task) {
         task.set_sid(kNobody);
         return true;
       })},
      {"group-gone", InTree([](pb::pstree_entry& task) {
         task.set_pgid(kNobody);
         return true;
       })},
      {"core-leader", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.clear_tc();
         return true;
       })},
      {"core-thread", InCore([](pb::core_entry& core) {
         if (core.has_tc()) return false;
         FillRequired(*core.mutable_tc());
         return true;
       })},
      {"core-registers", InCore([](pb::core_entry& core) {
         if (!IsLive(core) || !core.has_thread_info()) return false;
         core.clear_thread_info();
         return true;
       })},
      {"core-state", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_tc()->set_task_state(17);
         return true;
       })},
      {"core-sigactions", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_tc()->mutable_sigactions()->RemoveLast();
         return true;
       })},
      {"core-parts", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_tc()->clear_timers();
         return true;
       })},
      {"core-parts", InCore([](pb::core_entry& core) {
         if (!IsLive(core)) return false;
         core.mutable_thread_core()->clear_creds();
         return true;
       })},
      {"signal-size", InCore([](pb::core_entry& core) {
         if (core.thread_core().signals_p().signals().empty()) return false;
         core.mutable_thread_core()->mutable_signals_p()->mutable_signals(0)->set_siginfo("short");
         return true;
       })},
      {"timer-thread", InCore([](pb::core_entry& core) {
         if (core.tc().timers().posix().empty()) return false;
         core.mutable_tc()->mutable_timers()->mutable_posix(0)->set_notify_thread_id(kNobody);
         return true;
       })},
      {"seccomp-chain", In<pb::seccomp_entry>(ImageType::kSeccomp,
                                              [](pb::seccomp_entry& seccomp) {
                                                if (seccomp.seccomp_filters().empty()) return false;
                                                seccomp.mutable_seccomp_filters(0)->set_prev(1);
                                                return true;
                                              })},
      {"seccomp-filter", InCore([](pb::core_entry& core) {
         if (core.thread_core().seccomp_mode() != pb::filter) return false;
         core.mutable_thread_core()->set_seccomp_filter(kNobody);
         return true;
       })},
  };
}

std::vector<CheckDamage> MemoryDamages() {
  return {
      {"vma-range", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaSysvIpc | kVmaAnonShared);
         if (vma == nullptr) return false;
         vma->set_end(vma->start());
         return true;
       })},
      {"vma-order", InMm([](pb::mm_entry& mm) {
         if (mm.vmas_size() < 2) return false;
         mm.mutable_vmas()->SwapElements(0, 1);
         return true;
       })},
      {"vma-order", InMm([](pb::mm_entry& mm) {
         if (mm.vmas_size() < 2) return false;
         mm.mutable_vmas(0)->set_end(mm.vmas(1).start() + kPageBytes);
         return true;
       })},
      {"vma-status", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaFilePrivate);
         if (vma == nullptr) return false;
         vma->set_status(vma->status() | kVmaUnsupported);
         return true;
       })},
      {"vma-file",
       InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaFilePrivate);
         if (vma == nullptr) return false;
         vma->set_shmid(kNobody);
         return true;
       }),
       {"file-unused"}},
      {"vma-shmem",
       InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaAnonShared);
         if (vma == nullptr || (vma->status() & (kVmaSysvIpc | kVmaMemfd)) != 0) return false;
         vma->set_shmid(kNobody);
         return true;
       }),
       {"image-unused"}},
      {"vma-sysv", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaSysvIpc);
         if (vma == nullptr) return false;
         vma->set_shmid(kNobody);
         return true;
       })},
      {"mm-addresses", InMm([](pb::mm_entry& mm) {
         mm.set_mm_end_code(mm.mm_start_code());
         return true;
       })},
      {"aio-ring", InMm([](pb::mm_entry& mm) {
         if (mm.aios().empty()) return false;
         mm.mutable_aios(0)->set_id(kPageBytes);
         return true;
       })},
      {"exe-file", InMm([](pb::mm_entry& mm) {
         mm.set_exe_file_id(kNobody);
         return true;
       })},
      {"fs-file",
       In<pb::fs_entry>(ImageType::kFs,
                        [](pb::fs_entry& fs) {
                          fs.set_cwd_id(kNobody);
                          return true;
                        }),
       {"file-unused"}},
  };
}

std::vector<CheckDamage> PageDamages() {
  const auto resized = [](int64_t by) {
    return [by](SampleContainer& sample) {
      const std::string name = sample.dump.FirstOf(ImageType::kPages);
      if (name.empty()) return false;
      std::string bytes = sample.dump.files().at(name);
      bytes.resize(static_cast<size_t>(static_cast<int64_t>(bytes.size()) + by));
      sample.dump.Set(name, bytes);
      return true;
    };
  };
  return {
      {"pagemap-head",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kShmemPagemap);
         if (name.empty()) return false;
         sample.dump.Set(name, sample.dump.files().at(name).substr(0, 2 * sizeof(uint32_t)));
         return true;
       },
       {"pages-unused"}},
      {"pagemap-order",
       InPages([](pb::pagemap_entry& pages) {
         pages.set_vaddr(pages.vaddr() + 1);
         return true;
       }),
       {"pagemap-outside"}},
      {"pagemap-flags", InPages([](pb::pagemap_entry& pages) {
         if ((pages.flags() & kPagesPresent) == 0) return false;
         pages.set_flags(kPagesPresent | 0x40);
         return true;
       })},
      {"pagemap-outside",
       InPages([](pb::pagemap_entry& pages) {
         // Below every mapping.
         pages.set_vaddr(kPageBytes);
         return true;
       }),
       {"vdso-pages"}},
      {"pages-missing", Without(ImageType::kPages)},
      {"pages-short", resized(-1)},
      {"pages-long", resized(4096)},
      {"pages-shared",
       [](SampleContainer& sample) {
         uint32_t taken = 0;
         sample.dump.Edit<pb::pagemap_head>(ImageType::kShmemPagemap, [&](pb::pagemap_head& head) {
           taken = head.pages_id();
           return false;
         });
         return taken != 0 && sample.dump.Edit<pb::pagemap_head>(ImageType::kPagemap,
                                                                 [&](pb::pagemap_head& head) {
                                                                   head.set_pages_id(taken);
                                                                   return true;
                                                                 });
       },
       {"pages-unused", "pages-short", "pages-long"}},
      {"pages-form",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kPages);
         if (name.empty()) return false;
         const uint64_t id = FindImageTypeByFileName(name)->id;
         sample.dump.Set(ImageType::kPagesZstd, id, sample.dump.files().at(name));
         return sample.dump.Remove(name);
       }},
      {"pages-unused",
       [](SampleContainer& sample) {
         sample.dump.Set(ImageType::kPages, kNobody, "");
         return true;
       }},
      {"vdso-pages", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaVvar);
         if (vma == nullptr) return false;
         vma->set_status((vma->status() & ~kVmaVvar) | kVmaVdso);
         return true;
       })},
      {"vvar-pages", InMm([](pb::mm_entry& mm) {
         pb::vma_entry* vma = FindVma(mm, kVmaVdso);
         if (vma == nullptr) return false;
         vma->set_status((vma->status() & ~kVmaVdso) | kVmaVvar);
         return true;
       })},
      {"parent-gap",
       [](SampleContainer& sample) {
         return sample.parent.RemoveFirst(ImageType::kPagemap) &&
                sample.parent.RemoveFirst(ImageType::kPages);
       }},
  };
}

std::vector<CheckDamage> DescriptorDamages() {
  const auto in_table = [](auto change) {
    return In<pb::fdinfo_entry>(ImageType::kFdinfo, change);
  };
  return {
      {"fd-file",
       in_table([](pb::fdinfo_entry& fd) {
         fd.set_id(kNobody);
         return true;
       }),
       {"file-unused"}},
      {"fd-type", in_table([](pb::fdinfo_entry& fd) {
         fd.set_type(fd.type() == pb::SIGNALFD ? pb::EVENTFD : pb::SIGNALFD);
         return true;
       })},
      {"fd-duplicate", Twice<pb::fdinfo_entry>(ImageType::kFdinfo)},
      {"file-duplicate", Twice<pb::file_entry>(ImageType::kFiles)},
      {"file-body", InFile([](pb::file_entry& file) {
         if (!file.has_reg()) return false;
         file.mutable_reg()->set_id(kNobody);
         return true;
       })},
      {"file-body", InFile([](pb::file_entry& file) {
         if (!file.has_tfd()) return false;
         file.clear_tfd();
         return true;
       })},
      {"file-unused",
       [](SampleContainer& sample) {
         return sample.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
           return file.has_reg();
         }) && [&] {
           pb::file_entry file;
           file.set_type(pb::REG);
           file.set_id(kNobody);
           file.mutable_reg()->set_id(kNobody);
           file.mutable_reg()->set_name("/x");
           sample.dump.Add(ImageType::kFiles, 0, file);
           return true;
         }();
       }},
      {"file-path", InFile([](pb::file_entry& file) {
         if (!file.has_reg() || file.reg().ext()) return false;
         file.mutable_reg()->set_name("bin/app");
         return true;
       })},
      {"file-node",
       InFile([](pb::file_entry& file) {
         if (!file.has_fifo()) return false;
         file.mutable_fifo()->set_regf_id(kNobody);
         return true;
       }),
       {"file-unused"}},
      {"tty-info", InFile([](pb::file_entry& file) {
         if (!file.has_tty()) return false;
         file.mutable_tty()->set_tty_info_id(kNobody);
         return true;
       })},
      {"tty-data", In<pb::tty_data_entry>(ImageType::kTtyData,
                                          [](pb::tty_data_entry& data) {
                                            data.set_tty_id(kNobody);
                                            return true;
                                          })},
      {"pipe-data", Without(ImageType::kPipesData)},
      {"pipe-duplicate", Twice<pb::pipe_data_entry>(ImageType::kPipesData)},
      {"pipe-unused",
       [](SampleContainer& sample) {
         pb::pipe_data_entry data;
         data.set_pipe_id(kNobody);
         sample.dump.Add(ImageType::kPipesData, 0, data);
         return true;
       }},
      {"memfd-inode", InFile([](pb::file_entry& file) {
         if (!file.has_memfd()) return false;
         file.mutable_memfd()->set_inode_id(kNobody);
         return true;
       })},
      {"memfd-pages", Twice<pb::memfd_inode_entry>(ImageType::kMemfdInode)},
      {"memfd-pages",
       In<pb::memfd_inode_entry>(ImageType::kMemfdInode,
                                 [](pb::memfd_inode_entry& inode) {
                                   inode.set_shmid(kNobody);
                                   return true;
                                 }),
       {"image-unused"}},
      {"bpf-unused", In<pb::bpfmap_data_entry>(ImageType::kBpfmapData,
                                               [](pb::bpfmap_data_entry& data) {
                                                 data.set_map_id(kNobody);
                                                 return true;
                                               })},
      {"lock-owner", In<pb::file_lock_entry>(ImageType::kFileLocks,
                                             [](pb::file_lock_entry& lock) {
                                               lock.set_fd(9999);
                                               return true;
                                             })},
      {"raw-file", In<pb::raw_fact_entry>(ImageType::kCkptRaw,
                                          [](pb::raw_fact_entry& fact) {
                                            if (!fact.has_mapping()) return false;
                                            fact.mutable_mapping()->set_reg_file_id(kNobody);
                                            return true;
                                          })},
  };
}

std::vector<CheckDamage> EventDamages() {
  return {
      {"epoll-target", InFile([](pb::file_entry& file) {
         if (file.epfd().tfd().empty()) return false;
         file.mutable_epfd()->mutable_tfd(0)->set_tfd(9999);
         return true;
       })},
      {"watch-owner", In<pb::inotify_wd_entry>(ImageType::kInotifyWd,
                                               [](pb::inotify_wd_entry& watch) {
                                                 watch.set_id(kNobody);
                                                 return true;
                                               })},
      {"watch-duplicate", InFile([](pb::file_entry& file) {
         if (file.ify().wd().empty()) return false;
         *file.mutable_ify()->add_wd() = file.ify().wd(0);
         return true;
       })},
      {"mark-type", InFile([](pb::file_entry& file) {
         if (file.ffy().mark().empty()) return false;
         file.mutable_ffy()->mutable_mark(0)->clear_me();
         file.mutable_ffy()->mutable_mark(0)->clear_ie();
         return true;
       })},
      {"timerfd-time", InFile([](pb::file_entry& file) {
         if (!file.has_tfd()) return false;
         file.mutable_tfd()->set_vnsec(1'000'000'000);
         return true;
       })},
      {"remap-file", In<pb::remap_file_path_entry>(ImageType::kRemapFpath,
                                                   [](pb::remap_file_path_entry& remap) {
                                                     remap.set_orig_id(kNobody);
                                                     return true;
                                                   })},
      {"remap-duplicate", Twice<pb::remap_file_path_entry>(ImageType::kRemapFpath)},
      {"ghost-missing", Without(ImageType::kGhostFile)},
      {"ghost-unused", Without(ImageType::kRemapFpath), {"file-unused"}},
      {"ghost-watch",
       [](SampleContainer& sample) {
         uint64_t inode = 0;
         sample.dump.Edit<pb::file_entry>(ImageType::kFiles, [&](pb::file_entry& file) {
           if (!file.ify().wd().empty()) inode = file.ify().wd(0).i_ino();
           return false;
         });
         return inode != 0 && sample.dump.Edit<pb::ghost_file_entry>(
                                  ImageType::kGhostFile, [&](pb::ghost_file_entry& ghost) {
                                    ghost.set_ino(inode);
                                    ghost.set_dev(kNobody);
                                    return true;
                                  });
       }},
  };
}

std::vector<CheckDamage> SocketDamages() {
  const auto in_packet = [](auto change) {
    return In<pb::sk_packet_entry>(ImageType::kSkQueues, change);
  };
  return {
      {"unix-peer", InFile([](pb::file_entry& file) {
         if (file.usk().peer() == 0) return false;
         file.mutable_usk()->set_peer(kNobody);
         return true;
       })},
      {"unix-name", InFile([](pb::file_entry& file) {
         if (!file.has_usk()) return false;
         file.mutable_usk()->set_name(std::string(109, '/'));
         return true;
       })},
      {"unix-directory", InFile([](pb::file_entry& file) {
         if (!file.has_usk()) return false;
         file.mutable_usk()->set_name_dir("run");
         return true;
       })},
      {"socket-duplicate",
       [](SampleContainer& sample) {
         uint32_t ino = 0;
         return sample.dump.Edit<pb::file_entry>(ImageType::kFiles, [&](pb::file_entry& file) {
           if (!file.has_usk()) return false;
           const bool is_second = ino != 0;
           if (is_second) file.mutable_usk()->set_ino(ino);
           ino = file.usk().ino();
           return is_second;
         });
       },
       {"unix-peer"}},
      {"tcp-stream", Without(ImageType::kTcpStream)},
      {"tcp-unused",
       [](SampleContainer& sample) {
         const std::string name = sample.dump.FirstOf(ImageType::kTcpStream);
         if (name.empty()) return false;
         sample.dump.Set(ImageType::kTcpStream, kNobody, sample.dump.files().at(name));
         return true;
       }},
      {"queue-owner", in_packet([](pb::sk_packet_entry& packet) {
         packet.set_id_for(kNobody);
         return true;
       })},
      {"queue-file",
       in_packet([](pb::sk_packet_entry& packet) {
         if (packet.scm().empty() || packet.scm(0).rights().empty()) return false;
         packet.mutable_scm(0)->set_rights(0, kNobody);
         return true;
       }),
       {"file-unused"}},
      {"socket-namespace", InFile([](pb::file_entry& file) {
         if (!file.usk().has_ns_id()) return false;
         file.mutable_usk()->set_ns_id(kNobody);
         return true;
       })},
  };
}

std::vector<CheckDamage> MountDamages() {
  const auto is_inner = [](const pb::mnt_entry& mount) { return mount.mountpoint() != "/"; };
  return {
      {"mount-duplicate", OfOwnMounts(Twice<pb::mnt_entry>(ImageType::kMnts)), {"mount-root"}},
      {"mount-root",
       InMount([](pb::mnt_entry& mount) {
         if (mount.mountpoint() != "/") return false;
         mount.set_mountpoint("/elsewhere");
         return true;
       }),
       {"mount-parent", "mount-place", "mount-external", "mount-master", "mount-content"}},
      {"mount-parent", InMount([=](pb::mnt_entry& mount) {
         if (!is_inner(mount)) return false;
         mount.set_parent_mnt_id(kNobody);
         return true;
       })},
      {"mount-cycle",
       OfOwnMounts([=](SampleContainer& sample) {
         // The root's parent becomes a mount below it.
         uint32_t inner = 0;
         uint32_t root = 0;
         sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [&](pb::mnt_entry& mount) {
           (is_inner(mount) ? inner : root) = mount.mnt_id();
           return false;
         });
         return inner != 0 &&
                sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [&](pb::mnt_entry& mount) {
                  if (mount.mnt_id() != root) return false;
                  mount.set_parent_mnt_id(inner);
                  return true;
                });
       }),
       {"mount-root", "mount-place", "mount-external", "mount-master", "mount-content"}},
      {"mount-place", OfOwnMounts([](SampleContainer& sample) {
         // One that is not mounted on the root itself.
         std::map<uint32_t, std::string> mountpoints;
         const auto note = [&](pb::mnt_entry& mount) {
           mountpoints[mount.mnt_id()] = mount.mountpoint();
           return false;
         };
         sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, note);
         return sample.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [&](pb::mnt_entry& mount) {
           const auto parent = mountpoints.find(mount.parent_mnt_id());
           if (parent == mountpoints.end() || parent->second == "/") return false;
           mount.set_mountpoint("/elsewhere");
           return true;
         });
       })},
      {"mount-key", InMount([=](pb::mnt_entry& mount) {
         if (!is_inner(mount) || !mount.has_ext_key()) return false;
         mount.set_ext_mount(true);
         return true;
       })},
      {"mount-external", InMount([=](pb::mnt_entry& mount) {
         if (!mount.has_ext_key() || mount.root() == "/") return false;
         mount.clear_ext_key();
         return true;
       })},
      {"mount-type", InMount([=](pb::mnt_entry& mount) {
         if (!mount.has_ext_key()) return false;
         mount.set_fstype(99);
         return true;
       })},
      {"mount-content", OfOwnMounts(Without(ImageType::kTmpfsDev))},
      {"mount-master", InMount([=](pb::mnt_entry& mount) {
         if (!is_inner(mount) || mount.has_ext_key()) return false;
         mount.set_master_id(kNobody);
         return true;
       })},
      {"file-mount", OfOwnMounts(InFile([](pb::file_entry& file) {
         if (!file.has_reg() || file.reg().ext()) return false;
         file.mutable_reg()->set_mnt_id(kNobody);
         return true;
       }))},
      {"watch-mount", OfOwnMounts(InFile([](pb::file_entry& file) {
         if (file.ify().wd().empty()) return false;
         file.mutable_ify()->mutable_wd(0)->mutable_f_handle()->set_mnt_id(kNobody);
         return true;
       }))},
  };
}

std::vector<CheckDamage> NamespaceDamages() {
  return {
      {"namespace-image", Without(ImageType::kUtsns)},
      {"namespace-image", Without(ImageType::kIpcVar)},
      {"namespace-image", OfOwnMounts(Without(ImageType::kMnts)), {"image-unused"}},
      {"namespace-image", Without(ImageType::kUserns)},
      {"namespace-init",
       [](SampleContainer& sample) {
         if (TaskIds(sample).pid_ns_id() == RootIds(sample).pid_ns_id()) return false;
         // An external namespace has no init in the dump.
         if (!sample.dump.FirstOf(ImageType::kPidns).empty()) return false;
         return InTree([&](pb::pstree_entry& task) {
           const std::string ids = ImageFileName(ImageType::kIds, task.pid());
           if (task.ppid() == 0 || !sample.dump.Has(ids)) return false;
           task.set_ppid(0);
           return true;
         })(sample);
       },
       {"tree-root"}},
      {"netns-id", In<pb::netns_entry>(ImageType::kNetns,
                                       [](pb::netns_entry& ns) {
                                         if (ns.nsids().empty()) return false;
                                         ns.mutable_nsids(0)->set_target_ns_id(kNobody);
                                         return true;
                                       })},
      {"netdev-duplicate", Twice<pb::net_device_entry>(ImageType::kNetdev)},
      {"id-map", In<pb::userns_entry>(ImageType::kUserns,
                                      [](pb::userns_entry& ns) {
                                        if (ns.uid_map().empty()) return false;
                                        ns.mutable_uid_map(0)->set_count(0);
                                        return true;
                                      })},
      {"cgroup-set", InCore([](pb::core_entry& core) {
         if (core.thread_core().cg_set() == 0) return false;
         core.mutable_thread_core()->set_cg_set(kNobody);
         return true;
       })},
      {"cgroup-prefix", In<pb::cgroup_entry>(ImageType::kCgroup,
                                             [](pb::cgroup_entry& cgroups) {
                                               if (cgroups.sets().empty()) return false;
                                               auto& set = *cgroups.mutable_sets(0);
                                               if (set.ctls().empty()) return false;
                                               set.mutable_ctls(0)->set_cgns_prefix(kNobody);
                                               return true;
                                             })},
      {"cgroup-controller", In<pb::cgroup_entry>(ImageType::kCgroup,
                                                 [](pb::cgroup_entry& cgroups) {
                                                   if (cgroups.controllers().empty()) return false;
                                                   if (cgroups.sets().empty()) return false;
                                                   auto& set = *cgroups.mutable_sets(0);
                                                   if (set.ctls().empty()) return false;
                                                   set.mutable_ctls(0)->set_name("none");
                                                   return true;
                                                 })},
      {"ipc-duplicate", Twice<pb::ipc_shm_entry>(ImageType::kIpcnsShm)},
      {"ipc-pages",
       In<pb::ipc_shm_entry>(ImageType::kIpcnsShm,
                             [](pb::ipc_shm_entry& segment) {
                               if (!segment.in_pagemaps()) return false;
                               segment.mutable_desc()->set_id(kNobody);
                               return true;
                             }),
       {"image-unused", "vma-sysv"}},
  };
}

}  // namespace

const std::vector<CheckDamage>& CheckDamages() {
  static const auto* const damages = [] {
    auto* all = new std::vector<CheckDamage>;
    for (const auto& table :
         {ImageDamages(), TreeDamages(), MemoryDamages(), PageDamages(), DescriptorDamages(),
          EventDamages(), SocketDamages(), MountDamages(), NamespaceDamages()}) {
      all->insert(all->end(), table.begin(), table.end());
    }
    return all;
  }();
  return *damages;
}

}  // namespace ckpt
