#include "dumper/tty_files.h"

#include <asm/termbits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "process/task_stat.h"
#include "process/task_status.h"

namespace ckpt {

namespace {

// Documentation/admin-guide/devices.txt.
constexpr uint32_t kTtyMajor = 4;
constexpr uint32_t kTtyAuxMajor = 5;  // tty, console, ptmx
constexpr uint32_t kFirstPtyMasterMajor = 128;
constexpr uint32_t kFirstPtySlaveMajor = 136;
constexpr uint32_t kPtyMajorCount = 8;
constexpr uint32_t kPtmxMinor = 2;

constexpr int kPageMinors = 256;  // of each major

bool IsPtySlave(const LinkedFile& file) {
  return S_ISCHR(file.mode) && file.rdev_major >= kFirstPtySlaveMajor &&
         file.rdev_major < kFirstPtySlaveMajor + kPtyMajorCount;
}

bool IsPtyMaster(const LinkedFile& file) {
  if (!S_ISCHR(file.mode)) return false;
  const bool is_numbered = file.rdev_major >= kFirstPtyMasterMajor &&
                           file.rdev_major < kFirstPtyMasterMajor + kPtyMajorCount;
  return is_numbered || (file.rdev_major == kTtyAuxMajor && file.rdev_minor == kPtmxMinor);
}

uint32_t IndexOf(const LinkedFile& slave) {
  return (slave.rdev_major - kFirstPtySlaveMajor) * kPageMinors + slave.rdev_minor;
}

// As CRIU counts them: masters have the odd numbers.
uint32_t IdOf(const LinkedFile& slave) { return IndexOf(slave) * 2; }

// Its bytes lie side by side in as many words as there are characters: so CRIU writes and reads it.
pb::termios_entry MakeTermios(const termios& settings) {
  pb::termios_entry entry;
  entry.set_c_iflag(settings.c_iflag);
  entry.set_c_oflag(settings.c_oflag);
  entry.set_c_cflag(settings.c_cflag);
  entry.set_c_lflag(settings.c_lflag);
  entry.set_c_line(settings.c_line);
  entry.set_c_ispeed(0);
  entry.set_c_ospeed(0);
  std::array<uint32_t, NCCS> words{};
  std::memcpy(words.data(), settings.c_cc, NCCS);
  for (const uint32_t word : words) entry.add_c_cc(word);
  return entry;
}

template <typename T>
Result<T> Ask(const OpenDescription& opened, unsigned long request, std::string_view name) {
  T answer{};
  if (ioctl(opened.copy.get(), request, &answer) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "ioctl({}) of fd {}, {}", name, opened.number, opened.file.path);
  }
  return answer;
}

// Session and foreground group, in numbers of the innermost pid namespace; 0 where it is not the
// controlling terminal of the process that has it open.
Result<> SetSession(const OpenDescription& opened, pb::tty_info_entry& entry) {
  entry.set_sid(0);
  entry.set_pgrp(0);
  CKPT_TRY(const TaskStat stat, ReadTaskStat(opened.pid));
  const auto device = static_cast<uint32_t>(stat.tty_nr);
  // new_encode_dev() of include/linux/kdev_t.h.
  const uint32_t device_major = (device >> 8) & 0xfff;
  const uint32_t device_minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (device_major != opened.file.rdev_major || device_minor != opened.file.rdev_minor) {
    return success();
  }
  CKPT_TRY(const TaskStatus status, ReadTaskStatus(opened.pid));
  entry.set_sid(static_cast<uint32_t>(status.ns_sid.back()));
  if (stat.tpgid == stat.pgrp) {
    entry.set_pgrp(static_cast<uint32_t>(status.ns_pgid.back()));
  } else if (stat.tpgid > 0) {
    const Result<TaskStatus> leader = ReadTaskStatus(stat.tpgid);  // which may be gone
    if (leader.has_value()) entry.set_pgrp(static_cast<uint32_t>(leader.value().ns_pid.back()));
  }
  return success();
}

Result<pb::tty_info_entry> MakeInfo(const OpenDescription& opened) {
  struct stat status {};
  if (fstat(opened.copy.get(), &status) != 0) {
    const int saved = errno;
    return ErrnoError(saved, "fstat of fd {}", opened.number);
  }
  pb::tty_info_entry entry;
  entry.set_id(IdOf(opened.file));
  entry.set_type(pb::PTY);
  entry.set_locked(false);
  CKPT_TRY(const int is_exclusive, Ask<int>(opened, TIOCGEXCL, "TIOCGEXCL"));
  entry.set_exclusive(is_exclusive != 0);
  entry.set_packet_mode(false);
  CKPT_TRY(SetSession(opened, entry));
  entry.set_rdev(static_cast<uint32_t>(status.st_rdev));
  CKPT_TRY(const termios settings, Ask<termios>(opened, TCGETS, "TCGETS"));
  *entry.mutable_termios() = MakeTermios(settings);
  CKPT_TRY(const termios locked, Ask<termios>(opened, TIOCGLCKTRMIOS, "TIOCGLCKTRMIOS"));
  *entry.mutable_termios_locked() = MakeTermios(locked);
  CKPT_TRY(const winsize size, Ask<winsize>(opened, TIOCGWINSZ, "TIOCGWINSZ"));
  entry.mutable_winsize()->set_ws_row(size.ws_row);
  entry.mutable_winsize()->set_ws_col(size.ws_col);
  entry.mutable_winsize()->set_ws_xpixel(size.ws_xpixel);
  entry.mutable_winsize()->set_ws_ypixel(size.ws_ypixel);
  entry.mutable_pty()->set_index(IndexOf(opened.file));
  entry.set_dev(static_cast<uint32_t>(status.st_dev));
  entry.set_uid(status.st_uid);
  entry.set_gid(status.st_gid);
  return entry;
}

}  // namespace

bool IsTerminal(const OpenDescription& opened) {
  const LinkedFile& file = opened.file;
  if (!S_ISCHR(file.mode) || opened.IsPathOnly()) return false;
  return IsPtySlave(file) || IsPtyMaster(file) || file.rdev_major == kTtyMajor ||
         file.rdev_major == kTtyAuxMajor;
}

std::optional<std::string> ReasonToRefuseTerminal(const OpenDescription& opened,
                                                  bool is_shell_job) {
  if (IsPtyMaster(opened.file)) return "masters of pseudo terminals are not supported yet";
  if (!IsPtySlave(opened.file)) {
    return fmt::format("the terminal device {}:{} is not supported", opened.file.rdev_major,
                       opened.file.rdev_minor);
  }
  if (!is_shell_job) return "a terminal from outside of the tree (see --shell-job)";
  return std::nullopt;
}

Result<uint32_t> AddTerminal(const OpenDescription& opened, FileTable& files) {
  CKPT_TRY(const pb::fown_entry owner, ReadOwner(opened));
  const uint32_t regular_id =
      files.AddRegular(opened.file, opened.description_flags(), 0, pb::fown_entry(owner));
  pb::file_entry& file = files.Add(pb::TTY);
  pb::tty_file_entry& entry = *file.mutable_tty();
  entry.set_id(file.id());
  entry.set_tty_info_id(IdOf(opened.file));
  entry.set_flags(opened.description_flags());
  *entry.mutable_fown() = owner;
  entry.set_regf_id(regular_id);
  return file.id();
}

Result<std::vector<pb::tty_info_entry>> CollectTerminals(
    const std::vector<const OpenDescription*>& opened) {
  std::vector<pb::tty_info_entry> entries;
  std::set<uint32_t> seen;
  for (const OpenDescription* one : opened) {
    if (!seen.insert(IdOf(one->file)).second) continue;
    CKPT_TRY(entries.emplace_back(), MakeInfo(*one));
  }
  return entries;
}

}  // namespace ckpt
