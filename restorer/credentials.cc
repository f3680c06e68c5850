#include "restorer/credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>

#include "base/file.h"

namespace ckpt {

namespace {

constexpr int kCapabilityCount = 64;

// The capabilities that this kernel knows are 0 to this one.
Result<int> LastCapability() {
  CKPT_TRY(const std::string text, ReadWholeFile("/proc/sys/kernel/cap_last_cap"));
  int last = 0;
  std::from_chars(text.data(), text.data() + text.size(), last);
  return std::min(last, kCapabilityCount - 1);
}

Result<> AddIds(const CredentialsPlan& plan, RemoteCalls& calls) {
  const Bytes groups = std::as_bytes(std::span(plan.groups));
  CKPT_TRY(calls.MakeRoom(6, groups.size() + 16));
  const RemotePtr pointer = calls.PutBytes(groups);
  // Capabilities are not to change with the user id: they are set by themselves, afterwards.
  calls.Add("prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)", SYS_prctl,
            {PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0});
  calls.Add(fmt::format("setgroups of {} groups", plan.groups.size()), SYS_setgroups,
            {plan.groups.size(), pointer});
  calls.Add(fmt::format("setresgid({}, {}, {})", plan.gid, plan.egid, plan.sgid), SYS_setresgid,
            {plan.gid, plan.egid, plan.sgid});
  calls.Add("setfsgid", SYS_setfsgid, {plan.fsgid});
  calls.Add(fmt::format("setresuid({}, {}, {})", plan.uid, plan.euid, plan.suid), SYS_setresuid,
            {plan.uid, plan.euid, plan.suid});
  calls.Add("setfsuid", SYS_setfsuid, {plan.fsuid});
  return success();
}

Result<> AddBoundingSet(const CredentialsPlan& plan, int last_capability, RemoteCalls& calls) {
  if (!plan.bounding) return success();
  for (int capability = 0; capability <= last_capability; ++capability) {
    if ((*plan.bounding & (uint64_t{1} << capability)) != 0) continue;
    CKPT_TRY(calls.Call(fmt::format("prctl(PR_CAPBSET_DROP, {})", capability), SYS_prctl,
                        {PR_CAPBSET_DROP, capability, 0, 0, 0}));
  }
  return success();
}

Result<> AddCapabilities(const CredentialsPlan& plan, RemoteCalls& calls) {
  const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  for (size_t i = 0; i < sets.size(); ++i) {
    sets[i].effective = static_cast<uint32_t>(plan.effective >> (32 * i));
    sets[i].permitted = static_cast<uint32_t>(plan.permitted >> (32 * i));
    sets[i].inheritable = static_cast<uint32_t>(plan.inheritable >> (32 * i));
  }
  CKPT_TRY(calls.MakeRoom(3, sizeof(header) + sizeof(sets) + 32));
  const RemotePtr header_pointer = calls.PutObject(header);
  const RemotePtr sets_pointer = calls.PutObject(sets);
  calls.Add(fmt::format("prctl(PR_SET_SECUREBITS, {:#x})", plan.securebits), SYS_prctl,
            {PR_SET_SECUREBITS, plan.securebits, 0, 0, 0});
  calls.Add("prctl(PR_CAP_AMBIENT_CLEAR_ALL)", SYS_prctl,
            {PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0});
  calls.Add(fmt::format("capset(permitted {:#x}, effective {:#x}, inheritable {:#x})",
                        plan.permitted, plan.effective, plan.inheritable),
            SYS_capset, {header_pointer, sets_pointer});
  return success();
}

Result<> AddAmbientSet(const CredentialsPlan& plan, RemoteCalls& calls) {
  for (int capability = 0; capability < kCapabilityCount; ++capability) {
    if ((plan.ambient & (uint64_t{1} << capability)) == 0) continue;
    CKPT_TRY(calls.Call(fmt::format("prctl(PR_CAP_AMBIENT_RAISE, {})", capability), SYS_prctl,
                        {PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0}));
  }
  return success();
}

Result<> SetThreadCredentials(const RestoredTask& task, const ThreadPlan& plan, Tracee& thread,
                              int last_capability) {
  const CredentialsPlan& credentials = plan.credentials;
  RemoteCalls calls(*task.engine, thread);
  CKPT_TRY(AddIds(credentials, calls));
  CKPT_TRY(AddBoundingSet(credentials, last_capability, calls));
  CKPT_TRY(AddCapabilities(credentials, calls));
  CKPT_TRY(AddAmbientSet(credentials, calls));
  if (credentials.no_new_privileges) {
    CKPT_TRY(
        calls.Call("prctl(PR_SET_NO_NEW_PRIVS)", SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0}));
  }
  CKPT_TRY(calls.Call("prctl(PR_SET_PDEATHSIG)", SYS_prctl,
                      {PR_SET_PDEATHSIG, plan.parent_death_signal, 0, 0, 0}));
  return calls.Flush();
}

// 2, "readable by root only", is what the kernel makes of a change of credentials; it cannot be
// asked for (prctl(2)). 0 is the nearest that can.
Result<> SetDumpable(RestoredTask& task) {
  if (!task.plan->memory.layout.dumpable) return success();
  const int wanted = *task.plan->memory.layout.dumpable;
  if (wanted > 1) task.log->Warning("dumpable {} cannot be set, taking 0", wanted);
  RemoteCalls calls = task.Calls();
  CKPT_TRY(calls.Call("prctl(PR_SET_DUMPABLE)", SYS_prctl,
                      {PR_SET_DUMPABLE, wanted == 1 ? 1 : 0, 0, 0, 0}));
  return calls.Flush();
}

}  // namespace

Result<> SetCredentials(RestoredTask& task) {
  CKPT_TRY(const int last_capability, LastCapability());
  for (size_t i = 0; i < task.plan->threads.size(); ++i) {
    const ThreadPlan& plan = task.plan->threads[i];
    auto set = SetThreadCredentials(task, plan, task.stub.threads()[i], last_capability);
    if (set.has_error()) return std::move(set).error().In(fmt::format("thread {}", plan.tid));
  }
  return SetDumpable(task);
}

}  // namespace ckpt
