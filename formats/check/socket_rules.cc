#include "formats/check/socket_rules.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "formats/check/checked_files.h"
#include "formats/check/checked_tasks.h"
#include "formats/proto/network.pb.h"
#include "formats/proto/sockets.pb.h"
#include "formats/proto/sockets_inet.pb.h"
#include "formats/proto/sockets_unix.pb.h"

namespace ckpt {

namespace {

constexpr size_t kMaxNameBytes = 108;  // sockaddr_un.sun_path
constexpr uint32_t kTcp = 6;           // IPPROTO_TCP
constexpr uint32_t kEstablished = 1;   // TCP_ESTABLISHED

CheckPlace PlaceOf(const CheckedFile& file) { return {file.image->file_name, file.index}; }

std::string In(const CheckedFile& file, std::string_view field) {
  return std::string(file.prefix) + std::string(field);
}

template <typename Visit>
void ForEachUnix(CheckRun& run, Visit visit) {
  run.files().ForEach<pb::unix_sk_entry>(visit);
}

void CheckUnixPeers(CheckRun& run) {
  std::set<uint32_t> inodes;
  ForEachUnix(run, [&](const CheckedFile&, const auto& socket) { inodes.insert(socket.ino()); });
  if (!run.files().are_whole()) return;
  ForEachUnix(run, [&](const CheckedFile& file, const pb::unix_sk_entry& socket) {
    if (socket.peer() == 0 || inodes.contains(socket.peer())) return;
    run.Add(PlaceOf(file), In(file, "peer"), fmt::format("{}", socket.peer()),
            "the ino of a unix socket");
  });
}

void CheckUnixNames(CheckRun& run) {
  ForEachUnix(run, [&](const CheckedFile& file, const pb::unix_sk_entry& socket) {
    if (socket.name().size() <= kMaxNameBytes) return;
    run.Add(PlaceOf(file), In(file, "name"), fmt::format("{} bytes", socket.name().size()),
            fmt::format("at most {}", kMaxNameBytes));
  });
}

void CheckUnixDirectories(CheckRun& run) {
  ForEachUnix(run, [&](const CheckedFile& file, const pb::unix_sk_entry& socket) {
    if (!socket.has_name_dir() || socket.name_dir().starts_with('/')) return;
    run.Add(PlaceOf(file), In(file, "name_dir"), fmt::format("\"{}\"", socket.name_dir()),
            "a path that starts with a slash");
  });
}

template <typename M>
void CheckInodesUnique(CheckRun& run) {
  std::map<uint32_t, uint32_t> seen;
  run.files().ForEach<M>([&](const CheckedFile& file, const M& socket) {
    const auto [first, is_new] = seen.try_emplace(socket.ino(), file.id);
    // Descriptions of one socket there may be several of, as of any file, but not of one id.
    if (is_new || first->second == file.id) return;
    run.Add(PlaceOf(file), In(file, "ino"), fmt::format("{} again", socket.ino()),
            "sockets that occur once");
  });
}

void CheckSocketsUnique(CheckRun& run) {
  CheckInodesUnique<pb::unix_sk_entry>(run);
  CheckInodesUnique<pb::inet_sk_entry>(run);
  CheckInodesUnique<pb::netlink_sk_entry>(run);
}

bool HasStream(const pb::inet_sk_entry& socket) {
  return socket.proto() == kTcp && socket.state() == kEstablished;
}

void CheckTcpStreams(CheckRun& run) {
  const auto* inventory = run.tasks().inventory();
  if (inventory != nullptr && inventory->tcp_close()) return;
  run.files().ForEach<pb::inet_sk_entry>(
      [&](const CheckedFile& file, const pb::inet_sk_entry& socket) {
        if (!HasStream(socket) || run.dump().Has(ImageType::kTcpStream, socket.ino())) return;
        run.Add(PlaceOf(file), In(file, "ino"),
                fmt::format("{}, connected, but there is no {}", socket.ino(),
                            ImageFileName(ImageType::kTcpStream, socket.ino())),
                "the state of the connection");
      });
}

void CheckTcpStreamsUsed(CheckRun& run) {
  std::set<uint64_t> inodes;
  run.files().ForEach<pb::inet_sk_entry>(
      [&](const CheckedFile&, const pb::inet_sk_entry& socket) { inodes.insert(socket.ino()); });
  if (!run.files().are_whole()) return;
  for (const CheckedImage& image : run.dump().ImagesOf(ImageType::kTcpStream)) {
    if (inodes.contains(image.name.id)) continue;
    run.Add(CheckPlace(image.file_name), "", "of no socket", "the ino of a socket in its name");
  }
}

bool IsSocket(pb::fd_types type) {
  return type == pb::UNIXSK || type == pb::INETSK || type == pb::NETLINKSK || type == pb::PACKETSK;
}

void CheckQueueOwners(CheckRun& run) {
  run.dump().ForEach<pb::sk_packet_entry>(
      ImageType::kSkQueues, [&](const EntryRef<pb::sk_packet_entry>& packet) {
        const CheckedFile* file = run.files().Find(packet.message->id_for());
        if (file == nullptr ? !run.files().are_whole() : IsSocket(file->type)) return;
        run.Add(packet, "id_for", fmt::format("{}", packet.message->id_for()),
                "a socket of files.img");
      });
}

void CheckQueuedFiles(CheckRun& run) {
  run.dump().ForEach<pb::sk_packet_entry>(
      ImageType::kSkQueues, [&](const EntryRef<pb::sk_packet_entry>& packet) {
        for (int i = 0; i < packet.message->scm_size(); ++i) {
          const auto& rights = packet.message->scm(i).rights();
          for (int j = 0; j < rights.size(); ++j) {
            if (!run.files().are_whole() || run.files().Find(rights[j]) != nullptr) continue;
            run.Add(packet, fmt::format("scm[{}].rights[{}]", i, j), fmt::format("{}", rights[j]),
                    "a file of files.img");
          }
        }
      });
}

class NetNamespaces {
 public:
  explicit NetNamespaces(CheckRun& run) : run_(run) {
    const auto add = [&](const pb::task_kobj_ids_entry* ids) {
      if (ids != nullptr && ids->has_net_ns_id()) ids_.insert(ids->net_ns_id());
    };
    const auto* inventory = run.tasks().inventory();
    if (inventory != nullptr && inventory->has_root_ids()) add(&inventory->root_ids());
    for (const CheckedTask& task : run.tasks().all()) add(task.ids);
  }

  // Nothing is known of the namespaces of dumps whose tasks do not say them.
  bool MayBe(uint32_t id) const {
    return id == 0 || ids_.empty() || ids_.contains(id) || run_.dump().Has(ImageType::kNetns, id);
  }

 private:
  CheckRun& run_;
  std::set<uint32_t> ids_;
};

template <typename M>
void CheckNamespaceOf(CheckRun& run, const NetNamespaces& namespaces) {
  run.files().ForEach<M>([&](const CheckedFile& file, const M& socket) {
    if (!socket.has_ns_id() || namespaces.MayBe(socket.ns_id())) return;
    run.Add(PlaceOf(file), In(file, "ns_id"), fmt::format("{}", socket.ns_id()),
            "a network namespace of the dump");
  });
}

void CheckSocketNamespaces(CheckRun& run) {
  const NetNamespaces namespaces(run);
  CheckNamespaceOf<pb::unix_sk_entry>(run, namespaces);
  CheckNamespaceOf<pb::inet_sk_entry>(run, namespaces);
  CheckNamespaceOf<pb::netlink_sk_entry>(run, namespaces);
  CheckNamespaceOf<pb::packet_sock_entry>(run, namespaces);
  CheckNamespaceOf<pb::tunfile_entry>(run, namespaces);
}

using enum CheckSeverity;

constexpr CheckRule kRules[] = {
    {"unix-peer", kError, "the peer of a unix socket is in the dump",
     "FILES.usk.ino FILES.usk.peer", CheckUnixPeers},
    {"unix-name", kError, "the name of a unix socket is one that the kernel takes",
     "FILES.usk.name", CheckUnixNames},
    {"unix-directory", kError, "the directory of a unix socket starts with a slash",
     "FILES.usk.name_dir", CheckUnixDirectories},
    {"socket-duplicate", kError, "no two files are one socket",
     "FILES.id FILES.usk.ino FILES.isk.ino FILES.nlsk.ino", CheckSocketsUnique},
    {"tcp-stream", kError, "the state of a TCP connection is there",
     "FILES.isk.ino FILES.isk.state FILES.isk.proto TCP_STREAM INVENTORY", CheckTcpStreams},
    {"tcp-unused", kWarning, "the state of a TCP connection is of a socket that there is",
     "FILES.isk.ino TCP_STREAM", CheckTcpStreamsUsed},
    {"queue-owner", kError, "queued packets are of sockets of files.img",
     "SK_QUEUES FILES.id FILES.type", CheckQueueOwners},
    {"queue-file", kError, "files sent over unix sockets are in files.img", "SK_QUEUES FILES.id",
     CheckQueuedFiles},
    {"socket-namespace", kError, "the network namespace of a socket is in the dump",
     "FILES.usk.ns_id FILES.isk.ns_id FILES.nlsk.ns_id FILES.psk.ns_id FILES.tunf.ns_id IDS CORE "
     "NETNS INVENTORY PSTREE",
     CheckSocketNamespaces},
};

}  // namespace

std::span<const CheckRule> SocketRules() { return kRules; }

}  // namespace ckpt
