#include "restorer/namespace_sysctls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/net_sysctls.h"

namespace ckpt {

namespace {

using Ipc = pb::ipc_var_entry;

struct IpcSysctl {
  std::string_view name;
  bool (Ipc::*has)() const;
  uint32_t (Ipc::*value)() const;
  bool must_be;
};
constexpr std::array kIpcSysctls = {
    IpcSysctl{"kernel/msgmax", &Ipc::has_msg_ctlmax, &Ipc::msg_ctlmax, true},
    IpcSysctl{"kernel/msgmnb", &Ipc::has_msg_ctlmnb, &Ipc::msg_ctlmnb, true},
    IpcSysctl{"kernel/msgmni", &Ipc::has_msg_ctlmni, &Ipc::msg_ctlmni, true},
    IpcSysctl{"kernel/auto_msgmni", &Ipc::has_auto_msgmni, &Ipc::auto_msgmni, false},
    IpcSysctl{"kernel/shmmni", &Ipc::has_shm_ctlmni, &Ipc::shm_ctlmni, true},
    IpcSysctl{"kernel/shm_rmid_forced", &Ipc::has_shm_rmid_forced, &Ipc::shm_rmid_forced, true},
    IpcSysctl{"fs/mqueue/queues_max", &Ipc::has_mq_queues_max, &Ipc::mq_queues_max, true},
    IpcSysctl{"fs/mqueue/msg_max", &Ipc::has_mq_msg_max, &Ipc::mq_msg_max, true},
    IpcSysctl{"fs/mqueue/msgsize_max", &Ipc::has_mq_msgsize_max, &Ipc::mq_msgsize_max, true},
    IpcSysctl{"fs/mqueue/msg_default", &Ipc::has_mq_msg_default, &Ipc::mq_msg_default, true},
    IpcSysctl{"fs/mqueue/msgsize_default", &Ipc::has_mq_msgsize_default, &Ipc::mq_msgsize_default,
              true},
    IpcSysctl{"kernel/msg_next_id", &Ipc::has_msg_next_id, &Ipc::msg_next_id, false},
    IpcSysctl{"kernel/sem_next_id", &Ipc::has_sem_next_id, &Ipc::sem_next_id, false},
    IpcSysctl{"kernel/shm_next_id", &Ipc::has_shm_next_id, &Ipc::shm_next_id, false},
};

// Of the *_next_id: the next is the kernel's choice.
constexpr uint32_t kAnyId = ~0U;

template <typename Entries>
void AddTable(std::string_view directory, std::span<const std::string_view> names,
              const Entries& entries, std::vector<SysctlPlan>& sysctls) {
  const auto count = std::min(names.size(), static_cast<size_t>(entries.size()));
  for (size_t i = 0; i < count; ++i) {
    const pb::sysctl_entry& entry = entries.Get(static_cast<int>(i));
    std::string name = fmt::format("{}/{}", directory, names[i]);
    if (entry.type() == pb::CTL_STR && entry.has_sarg() && !entry.sarg().empty()) {
      sysctls.push_back({.name = std::move(name), .value = entry.sarg()});
    } else if (entry.type() == pb::CTL_32 && entry.has_iarg()) {
      sysctls.push_back({.name = std::move(name), .value = std::to_string(entry.iarg())});
    }
  }
}

}  // namespace

void AddIpcSysctls(const Ipc& entry, std::vector<SysctlPlan>& sysctls) {
  if (!entry.sem_ctls().empty()) {
    sysctls.push_back({"kernel/sem", fmt::format("{}", fmt::join(entry.sem_ctls(), "\t")), true});
  }
  sysctls.push_back({"kernel/shmmax", std::to_string(entry.shm_ctlmax()), true});
  sysctls.push_back({"kernel/shmall", std::to_string(entry.shm_ctlall()), true});
  for (const IpcSysctl& sysctl : kIpcSysctls) {
    if (!(entry.*sysctl.has)()) continue;
    const uint32_t value = (entry.*sysctl.value)();
    if (value == kAnyId && sysctl.name.ends_with("_next_id")) continue;
    sysctls.push_back({std::string(sysctl.name), std::to_string(value), sysctl.must_be});
  }
}

// What is set for all devices changes "default" and what devices have.
void AddNetSysctls(const pb::netns_entry& entry, std::vector<SysctlPlan>& sysctls) {
  AddTable("net/ipv4/conf/all", kNetConf4, entry.all_conf4(), sysctls);
  AddTable("net/ipv4/conf/default", kNetConf4, entry.def_conf4(), sysctls);
  AddTable("net/ipv6/conf/all", kNetConf6, entry.all_conf6(), sysctls);
  AddTable("net/ipv6/conf/default", kNetConf6, entry.def_conf6(), sysctls);
  AddTable("net/unix", kNetUnixConf, entry.unix_conf(), sysctls);
  AddTable("net/ipv4", kNetIpv4Sysctls, entry.ipv4_sysctl(), sysctls);
}

void AddDeviceSysctls(const pb::net_device_entry& device, std::vector<SysctlPlan>& sysctls) {
  AddTable("net/ipv4/conf/" + device.name(), kNetConf4, device.conf4(), sysctls);
  AddTable("net/ipv6/conf/" + device.name(), kNetConf6, device.conf6(), sysctls);
}

}  // namespace ckpt
