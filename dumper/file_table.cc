#include "dumper/file_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ckpt {

namespace {

// A file that is only appended to grows between dump and restore: its size is not to be compared.
bool SizeIsComparable(const LinkedFile& file, uint32_t flags) {
  const bool append_only = (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) != 0;
  return S_ISREG(file.mode) && !append_only;
}

pb::fown_entry NoOwner() {
  pb::fown_entry owner;
  owner.set_uid(0);
  owner.set_euid(0);
  owner.set_signum(0);
  owner.set_pid_type(0);
  owner.set_pid(0);
  return owner;
}

}  // namespace

uint32_t FileTable::AddPath(const LinkedFile& file, uint32_t flags) {
  const auto [found, added] =
      paths_.try_emplace({file.path, file.inode, file.mnt_id, flags}, uint32_t{0});
  if (added) found->second = AddRegular(file, flags, 0, NoOwner());
  return found->second;
}

uint32_t FileTable::AddRegular(const LinkedFile& file, uint32_t flags, uint64_t position_bytes,
                               const pb::fown_entry& owner) {
  pb::file_entry& entry = Add(pb::REG);
  pb::reg_file_entry& regular = *entry.mutable_reg();
  regular.set_id(entry.id());
  regular.set_flags(flags);
  regular.set_pos(position_bytes);
  *regular.mutable_fown() = owner;
  regular.set_name(NameOf(file));
  regular.set_mnt_id(file.mnt_id);
  if (SizeIsComparable(file, flags)) regular.set_size(file.size_bytes);
  regular.set_mode(file.mode);
  if (S_ISCHR(file.mode) || S_ISBLK(file.mode)) {
    devices_[entry.id()] = makedev(file.rdev_major, file.rdev_minor);
  }
  return entry.id();
}

uint32_t FileTable::AddPipe(uint32_t pipe_id, uint32_t flags, const pb::fown_entry& owner) {
  pb::file_entry& entry = Add(pb::PIPE);
  pb::pipe_entry& pipe = *entry.mutable_pipe();
  pipe.set_id(entry.id());
  pipe.set_pipe_id(pipe_id);
  pipe.set_flags(flags);
  *pipe.mutable_fown() = owner;
  return entry.id();
}

uint32_t FileTable::AddFifo(uint32_t pipe_id, uint32_t regular_id) {
  pb::file_entry& entry = Add(pb::FIFO);
  pb::fifo_entry& fifo = *entry.mutable_fifo();
  fifo.set_id(entry.id());
  fifo.set_pipe_id(pipe_id);
  fifo.set_regf_id(regular_id);
  return entry.id();
}

void FileTable::ForgetMountsOfGhosts() {
  for (const pb::remap_file_path_entry& remap : ghosts_.remaps()) {
    entries_[remap.orig_id() - 1].mutable_reg()->clear_mnt_id();
  }
}

pb::file_entry& FileTable::Add(pb::fd_types type) {
  pb::file_entry& entry = entries_.emplace_back();
  entry.set_type(type);
  entry.set_id(static_cast<uint32_t>(entries_.size()));
  return entry;
}

}  // namespace ckpt
