// What a magic link of /proc (exe, cwd, root, fd/N, map_files/START-END) leads to, from outside.
#ifndef PROCESS_LINKED_FILE_H_
#define PROCESS_LINKED_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace ckpt {

struct LinkedFile {
  // The link's text, byte for byte: a path from the reader's root, or "pipe:[123]", "socket:[4]",
  // "anon_inode:[eventfd]"; with " (deleted)" after the path of a file that has been unlinked.
  std::string path;
  uint32_t mode = 0;  // st_mode
  uint64_t size_bytes = 0;
  uint64_t allocated_bytes = 0;  // on disk, without holes
  uint64_t inode = 0;
  uint32_t dev_major = 0;
  uint32_t dev_minor = 0;
  uint32_t rdev_major = 0;
  uint32_t rdev_minor = 0;
  uint32_t link_count = 0;
  int32_t mnt_id = -1;  // as mountinfo and fdinfo show it (STATX_MNT_ID, Linux 5.8)
};

// `name` is looked up in `directory_fd`, such as /proc/PID/map_files.
Result<LinkedFile> ReadLinkedFile(int directory_fd, const std::string& name);
Result<LinkedFile> ReadLinkedFile(const std::string& path);
// The same of a link that was read already.
Result<LinkedFile> StatLinkedFile(int directory_fd, const std::string& name, std::string link_text);
// The same where `fd` is a duplicate of what the link leads to.
Result<LinkedFile> StatLinkedFile(int fd, std::string link_text);

// True when the file's name is gone, so that its path opens nothing, or another file.
bool IsDeleted(const LinkedFile& file);

// The path that the file has, or had before it was deleted.
std::string NameOf(const LinkedFile& file);

}  // namespace ckpt

#endif  // PROCESS_LINKED_FILE_H_
