#include "dumper/ipc_namespace.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "base/file.h"
#include "process/text_scanner.h"

namespace ckpt {

namespace {

using Entry = pb::ipc_var_entry;

struct Parameter {
  const char* path;  // below /proc/sys
  void (Entry::*set)(uint32_t);
};

constexpr std::array kParameters = {
    Parameter{"kernel/msgmax", &Entry::set_msg_ctlmax},
    Parameter{"kernel/msgmnb", &Entry::set_msg_ctlmnb},
    Parameter{"kernel/msgmni", &Entry::set_msg_ctlmni},
    Parameter{"kernel/auto_msgmni", &Entry::set_auto_msgmni},
    Parameter{"kernel/shmmni", &Entry::set_shm_ctlmni},
    Parameter{"kernel/shm_rmid_forced", &Entry::set_shm_rmid_forced},
    Parameter{"fs/mqueue/queues_max", &Entry::set_mq_queues_max},
    Parameter{"fs/mqueue/msg_max", &Entry::set_mq_msg_max},
    Parameter{"fs/mqueue/msgsize_max", &Entry::set_mq_msgsize_max},
    Parameter{"fs/mqueue/msg_default", &Entry::set_mq_msg_default},
    Parameter{"fs/mqueue/msgsize_default", &Entry::set_mq_msgsize_default},
};

// The numbers in the file of a parameter.
Result<std::vector<uint64_t>> ReadNumbers(const std::string& proc, const std::string& name) {
  const std::string path = fmt::format("{}/sys/{}", proc, name);
  CKPT_TRY(const std::string text, ReadWholeFile(path));
  std::vector<uint64_t> numbers;
  TextScanner scanner(text);
  for (scanner.SkipBlanks(); const auto number = scanner.ReadDecimal(); scanner.SkipBlanks()) {
    numbers.push_back(*number);
  }
  if (!numbers.empty()) return numbers;
  return MakeError(ErrorCode::kBadFormat, "{}: found \"{}\", expected numbers", path, text);
}

// Files of /proc/sysvipc have a line of headings, then one for each object.
Result<> RefuseSystemV(const std::string& proc, const char* file, const char* what,
                       Refusals& refusals) {
  CKPT_TRY(const std::string text, ReadWholeFile(fmt::format("{}/sysvipc/{}", proc, file)));
  TextScanner scanner(text);
  scanner.ReadLine();
  while (!scanner.AtEnd()) {
    TextScanner line(scanner.ReadLine());
    const std::string_view key = line.ReadWord();
    const std::string_view id = line.ReadWord();
    refusals.Add("System V {} {} with key {} in its IPC namespace: not supported yet", what, id,
                 key);
  }
  return success();
}

// A mount of the message queues of the thread's namespace that is nowhere in the tree of mounts.
Result<UniqueFd> MountQueues() {
  const UniqueFd context(static_cast<int>(syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC)));
  int saved = errno;
  if (!context.valid()) return ErrnoError(saved, "fsopen(\"mqueue\")");
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return ErrnoError(errno, "fsconfig(\"mqueue\", FSCONFIG_CMD_CREATE)");
  }
  UniqueFd mount(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  saved = errno;
  if (!mount.valid()) return ErrnoError(saved, "fsmount(\"mqueue\")");
  return mount;
}

Result<> RefuseQueues(const std::string& proc, Refusals& refusals) {
  CKPT_TRY(const UniqueFd mount, MountQueues());
  CKPT_TRY(const std::vector<std::string> names,
           ListDirectory(fmt::format("{}/thread-self/fd/{}", proc, mount.get())));
  for (const std::string& name : names) {
    refusals.Add("POSIX message queue {} in its IPC namespace: not supported yet", name);
  }
  return success();
}

}  // namespace

Result<pb::ipc_var_entry> ReadIpcNamespace(const std::string& proc, Refusals& refusals) {
  Entry entry;
  for (const Parameter& parameter : kParameters) {
    CKPT_TRY(const std::vector<uint64_t> numbers, ReadNumbers(proc, parameter.path));
    (entry.*parameter.set)(static_cast<uint32_t>(numbers[0]));
  }
  CKPT_TRY(const std::vector<uint64_t> semaphores, ReadNumbers(proc, "kernel/sem"));
  for (const uint64_t limit : semaphores) entry.add_sem_ctls(static_cast<uint32_t>(limit));
  CKPT_TRY(const std::vector<uint64_t> shmmax, ReadNumbers(proc, "kernel/shmmax"));
  CKPT_TRY(const std::vector<uint64_t> shmall, ReadNumbers(proc, "kernel/shmall"));
  entry.set_shm_ctlmax(shmmax[0]);
  entry.set_shm_ctlall(shmall[0]);
  CKPT_TRY(RefuseSystemV(proc, "shm", "shared memory", refusals));
  CKPT_TRY(RefuseSystemV(proc, "sem", "semaphore set", refusals));
  CKPT_TRY(RefuseSystemV(proc, "msg", "message queue", refusals));
  CKPT_TRY(RefuseQueues(proc, refusals));
  return entry;
}

}  // namespace ckpt
