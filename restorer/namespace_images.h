// The images of namespaces of a dump, as the dump spells them.
#ifndef RESTORER_NAMESPACE_IMAGES_H_
#define RESTORER_NAMESPACE_IMAGES_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "formats/dump_directory.h"
#include "formats/proto/ipc.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/network.pb.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

// Those of one set of namespaces, which a process of the dump is in.
struct NamespaceImages {
  std::optional<pb::utsns_entry> uts;
  std::optional<pb::ipc_var_entry> ipc;
  std::vector<std::string> ipc_objects;  // names of images that hold System V objects
  std::optional<pb::netns_entry> net;
  std::vector<pb::net_device_entry> net_devices;
  std::string net_addresses;                   // all of ifaddr
  std::vector<std::string> net_traffic_rules;  // names of images that hold routes or filters
  std::optional<pb::pidns_entry> pid;
  std::vector<pb::mnt_entry> mounts;
  std::set<uint64_t> tmpfs_contents;  // ids of tmpfs-dev images
};

// Those that are there; which must be, the plan knows. One error for all that cannot be read.
Result<NamespaceImages> LoadNamespaceImages(const DumpDirectory& dump,
                                            const pb::task_kobj_ids_entry& ids);

}  // namespace ckpt

#endif  // RESTORER_NAMESPACE_IMAGES_H_
