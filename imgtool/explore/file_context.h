// What open files are called: their paths, or in words what they are, with all that other images
// say of them.
#ifndef IMGTOOL_EXPLORE_FILE_CONTEXT_H_
#define IMGTOOL_EXPLORE_FILE_CONTEXT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/proto/files.pb.h"
#include "formats/proto/tty.pb.h"
#include "imgtool/explore/dump_reader.h"
#include "imgtool/explore/open_files.h"

namespace ckpt {

struct PipeFacts {
  std::vector<Holder> readers;
  std::vector<Holder> writers;
  uint64_t queued_bytes = 0;
  std::string content;  // what is in it, as BytesText() has it
};

// Of a socket of any family; empty texts where there is nothing to say.
struct SocketFacts {
  std::string family;    // "unix", "inet", "inet6", "netlink", "packet"
  std::string type;      // "STREAM"
  std::string protocol;  // "TCP", "ROUTE"
  std::string state;     // "ESTABLISHED"
  std::string local;     // "127.0.0.1:80", "/run/x", "@abstract"
  std::string peer;
  uint64_t inode = 0;  // 0 where its family has none in the format
  uint64_t peer_inode = 0;
  uint64_t received_bytes = 0;  // that nobody has read
  uint64_t unsent_bytes = 0;
  std::string content;  // of each packet that was received, as BytesText() has it
  uint32_t net_ns_id = 0;
};

bool IsSocket(const pb::file_entry& file);

// The references that Read() is given must outlive this object.
class FileContext {
 public:
  static FileContext Read(DumpReader& reader, const FileDescriptions& files,
                          const DescriptorTables& tables);

  // "/tmp/x (deleted)", "pipe:[77] read end, writers 5/4", "count 7".
  std::string Describe(const pb::file_entry& file) const;
  // Of a file that a task refers to by number only. "no file 7 in the dump" where there is none.
  std::string PathOf(uint32_t file_id) const;

  // Whether the file had no name any more: the dump holds it, or a link to it.
  bool IsDeleted(const pb::file_entry& file) const;

  // The number of its ghost-file image.
  std::optional<uint32_t> GhostOf(const pb::file_entry& file) const;
  std::optional<uint32_t> PipeIdOf(const pb::file_entry& file) const;

  // Of a socket.
  SocketFacts DescribeSocket(const pb::file_entry& file) const;

  // The number of the memory behind a memfd, as in the names of pagemap-shmem images.
  uint64_t SharedMemoryOf(const pb::memfd_file_entry& memfd) const;

  // By pipe_id; fifos too.
  const std::map<uint32_t, PipeFacts>& pipes() const { return pipes_; }

 private:
  FileContext(const FileDescriptions& files, const DescriptorTables& tables)
      : files_(&files), tables_(&tables) {}

  void AddPipe(const pb::file_entry& file);
  struct SocketQueue {
    uint64_t size_bytes = 0;
    uint64_t hash = 0;
    std::string content;
  };

  void ReadQueues(DumpReader& reader);
  void ReadPipeContent(DumpReader& reader, ImageType type);
  void ReadSocketQueues(DumpReader& reader);

  std::string RegularText(const pb::reg_file_entry& reg) const;
  std::string PipeText(uint32_t pipe_id, uint32_t flags) const;
  std::string FifoText(const pb::fifo_entry& fifo) const;
  std::string TtyText(const pb::tty_file_entry& tty) const;
  std::string MemfdText(const pb::memfd_file_entry& memfd) const;
  std::string SocketText(const pb::file_entry& file) const;
  std::string WatchedPath(const pb::fh_entry& handle, uint64_t inode, uint32_t device) const;
  std::string InotifyText(const pb::inotify_file_entry& inotify) const;
  std::string FanotifyText(const pb::fanotify_file_entry& fanotify) const;
  SocketFacts UnixFacts(const pb::unix_sk_entry& socket) const;
  SocketFacts InetFacts(const pb::inet_sk_entry& socket) const;

  const FileDescriptions* files_;
  const DescriptorTables* tables_;
  std::unordered_map<uint32_t, pb::remap_file_path_entry> remaps_;  // by the file's id
  std::unordered_map<uint64_t, pb::memfd_inode_entry> memfds_;      // by inode_id
  std::unordered_map<uint32_t, pb::tty_info_entry> ttys_;
  std::unordered_map<uint64_t, const pb::file_entry*> unix_by_inode_;
  std::unordered_map<uint64_t, SocketQueue> queues_;            // by the id of the socket
  std::unordered_map<uint64_t, pb::tcp_stream_entry> streams_;  // by inode
  std::map<uint32_t, PipeFacts> pipes_;
};

}  // namespace ckpt

#endif  // IMGTOOL_EXPLORE_FILE_CONTEXT_H_
