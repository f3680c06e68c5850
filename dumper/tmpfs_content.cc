#include "dumper/tmpfs_content.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace ckpt {

namespace {

struct FreeArchive {
  void operator()(archive* handle) const {
    // Both kinds are freed alike.
    archive_free(handle);
  }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct FreeResolver {
  void operator()(archive_entry_linkresolver* resolver) const {
    archive_entry_linkresolver_free(resolver);
  }
};
using Archive = std::unique_ptr<archive, FreeArchive>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

// Of a call that returns ARCHIVE_OK, or ARCHIVE_WARN where it goes on.
Result<> Checked(int code, archive* handle, std::string_view what) {
  if (code >= ARCHIVE_WARN) return success();
  const char* text = archive_error_string(handle);
  return MakeError(ErrorCode::kSystem, "archive {}: {}", what, text == nullptr ? "" : text);
}

Result<UniqueFd> OpenTree(int directory, const char* path, unsigned flags) {
  UniqueFd fd(static_cast<int>(syscall(SYS_open_tree, directory, path, OPEN_TREE_CLOEXEC | flags)));
  const int saved = errno;
  if (!fd.valid()) return ErrnoError(saved, "open_tree(\"{}\", {:#x})", path, flags);
  return fd;
}

// Reads a directory, and writes what it finds.
class Archiver {
 public:
  Result<> Open(int output) {
    reader_.reset(archive_read_disk_new());
    writer_.reset(archive_write_new());
    resolver_.reset(archive_entry_linkresolver_new());
    CKPT_CHECK(reader_ != nullptr && writer_ != nullptr && resolver_ != nullptr);
    archive_read_disk_set_symlink_physical(reader_.get());
    archive_read_disk_set_behavior(
        reader_.get(), ARCHIVE_READDISK_NO_TRAVERSE_MOUNTS | ARCHIVE_READDISK_NO_FFLAGS);
    CKPT_TRY(Write(archive_write_set_format_pax(writer_.get()), "format"));
    CKPT_TRY(Write(archive_write_add_filter_gzip(writer_.get()), "filter"));
    // The tree is frozen meanwhile: quick, not small.
    CKPT_TRY(Write(archive_write_set_options(writer_.get(), "compression-level=1"), "options"));
    archive_entry_linkresolver_set_strategy(resolver_.get(), archive_format(writer_.get()));
    CKPT_TRY(Write(archive_write_open_fd(writer_.get(), output), "output"));
    return Checked(archive_read_disk_open(reader_.get(), "."), reader_.get(), "\".\"");
  }

  Result<> AddAll() {
    while (true) {
      Entry entry(archive_entry_new());
      const int code = archive_read_next_header2(reader_.get(), entry.get());
      if (code == ARCHIVE_EOF) break;
      CKPT_TRY(Checked(code, reader_.get(), "the next file"));
      archive_read_disk_descend(reader_.get());
      if (archive_entry_filetype(entry.get()) != AE_IFSOCK) CKPT_TRY(Add(std::move(entry)));
    }
    return Write(archive_write_close(writer_.get()), "end");
  }

 private:
  Result<> Write(int code, std::string_view what) { return Checked(code, writer_.get(), what); }

  Result<> Add(Entry entry) {
    archive_entry_unset_atime(entry.get());
    archive_entry_unset_ctime(entry.get());
    archive_entry_unset_birthtime(entry.get());
    // A second name of a file becomes a link to the first. In tar nothing is kept back.
    archive_entry* current = entry.release();
    archive_entry* kept_back = nullptr;
    archive_entry_linkify(resolver_.get(), &current, &kept_back);
    entry.reset(current);
    const std::string path = archive_entry_pathname(entry.get());
    CKPT_TRY(Write(archive_write_header(writer_.get(), entry.get()), path));
    if (archive_entry_filetype(entry.get()) != AE_IFREG || archive_entry_size(entry.get()) == 0 ||
        archive_entry_hardlink(entry.get()) != nullptr) {
      return success();
    }
    return CopyData(path);
  }

  // The writer is given the zeros of holes, too: it knows which of them not to write.
  Result<> CopyData(const std::string& path) {
    const void* block = nullptr;
    size_t size_bytes = 0;
    la_int64_t offset = 0;
    la_int64_t position = 0;
    while (true) {
      const int code = archive_read_data_block(reader_.get(), &block, &size_bytes, &offset);
      if (code == ARCHIVE_EOF) return success();
      CKPT_TRY(Checked(code, reader_.get(), path));
      CKPT_TRY(WriteZeros(static_cast<size_t>(offset - position), path));
      CKPT_TRY(WriteData(block, size_bytes, path));
      position = offset + static_cast<la_int64_t>(size_bytes);
    }
  }

  Result<> WriteZeros(size_t size_bytes, const std::string& path) {
    static constexpr std::array<char, 65536> kZeros = {};
    while (size_bytes > 0) {
      const size_t part = std::min(size_bytes, kZeros.size());
      CKPT_TRY(WriteData(kZeros.data(), part, path));
      size_bytes -= part;
    }
    return success();
  }

  Result<> WriteData(const void* data, size_t size_bytes, const std::string& path) {
    const la_ssize_t written = archive_write_data(writer_.get(), data, size_bytes);
    if (written >= 0) return success();
    return Write(static_cast<int>(written), path);
  }

  Archive reader_;
  Archive writer_;
  std::unique_ptr<archive_entry_linkresolver, FreeResolver> resolver_;
};

}  // namespace

Result<UniqueFd> OpenBareMount(const std::string& mountpoint, int32_t mnt_id) {
  CKPT_TRY(const UniqueFd top, OpenTree(AT_FDCWD, mountpoint.c_str(), 0));
  struct statx status {};
  if (statx(top.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) {
    return ErrnoError(errno, "statx(\"{}\", STATX_MNT_ID)", mountpoint);
  }
  if (static_cast<int32_t>(status.stx_mnt_id) != mnt_id) {
    return MakeError(ErrorCode::kUnsupported, "mount {} at {} is covered by mount {}", mnt_id,
                     mountpoint, status.stx_mnt_id);
  }
  return OpenTree(top.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
}

Result<> ArchiveDirectory(int directory, int output) {
  if (fchdir(directory) != 0) return ErrnoError(errno, "fchdir({})", directory);
  Archiver archiver;
  CKPT_TRY(archiver.Open(output));
  return archiver.AddAll();
}

}  // namespace ckpt
