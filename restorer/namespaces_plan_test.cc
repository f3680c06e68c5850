#include "restorer/namespaces_plan.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>

#include <string>

namespace ckpt {
namespace {

pb::task_kobj_ids_entry Ids(uint32_t offset) {
  pb::task_kobj_ids_entry ids;
  ids.set_vm_id(1);
  ids.set_files_id(1);
  ids.set_fs_id(1);
  ids.set_sighand_id(1);
  ids.set_pid_ns_id(1 + offset);
  ids.set_net_ns_id(2 + offset);
  ids.set_ipc_ns_id(3 + offset);
  ids.set_uts_ns_id(4 + offset);
  ids.set_mnt_ns_id(6 + offset);
  ids.set_user_ns_id(7);
  ids.set_cgroup_ns_id(8);
  ids.set_time_ns_id(5);
  return ids;
}

pb::ipc_var_entry IpcVariables() {
  pb::ipc_var_entry entry;
  for (const uint32_t value : {32000U, 1024000000U, 500U, 32000U}) entry.add_sem_ctls(value);
  entry.set_msg_ctlmax(8192);
  entry.set_msg_ctlmnb(16384);
  entry.set_msg_ctlmni(32000);
  entry.set_auto_msgmni(0);
  entry.set_shm_ctlmax(1234567);
  entry.set_shm_ctlall(18446744073692774399U);
  entry.set_shm_ctlmni(4096);
  entry.set_shm_rmid_forced(0);
  entry.set_mq_queues_max(256);
  entry.set_mq_msg_max(10);
  entry.set_mq_msgsize_max(8192);
  entry.set_shm_next_id(~0U);
  return entry;
}

class NamespacesPlanTest : public testing::Test {
 protected:
  NamespacesPlanTest() {
    images_.uts.emplace();
    images_.uts->set_nodename("node");
    images_.uts->set_domainname("domain");
    images_.ipc = IpcVariables();
    pb::mnt_entry& root = images_.mounts.emplace_back();
    root.set_fstype(0);
    root.set_mnt_id(64);
    root.set_root_dev(1);
    root.set_parent_mnt_id(42);
    root.set_flags(MS_RELATIME);
    root.set_root("/");
    root.set_mountpoint("/");
  }

  NamespacesPlan Plan() {
    findings_ = Findings();
    return PlanNamespaces({{1, &first_}, {2, &second_}}, root_ids_, images_, root_, {}, findings_);
  }
  std::string PlanError() {
    Plan();
    const Result<> result = findings_.AsResult();
    return result.has_error() ? result.error().message : "";
  }
  pb::net_device_entry& AddDevice(pb::nd_type type, const std::string& name) {
    pb::net_device_entry& device = images_.net_devices.emplace_back();
    device.set_type(type);
    device.set_ifindex(1);
    device.set_mtu(65536);
    device.set_flags(IFF_UP);
    device.set_name(name);
    return device;
  }

  pb::task_kobj_ids_entry root_ids_ = Ids(0), first_ = Ids(100), second_ = Ids(100);
  NamespaceImages images_;
  std::string root_ = "/container";
  Findings findings_;
};

std::string ValueOf(const NamespacesPlan& plan, const std::string& name) {
  for (const SysctlPlan& sysctl : plan.sysctls) {
    if (sysctl.name == name) return sysctl.value;
  }
  return "not set";
}

TEST_F(NamespacesPlanTest, NamespacesOfTheDumperAreNotMade) {
  first_ = second_ = root_ids_;
  EXPECT_EQ(PlanError(), "");
  EXPECT_EQ(Plan().clone_flags, 0U);
  EXPECT_FALSE(Plan().mounts.has_value());
  EXPECT_FALSE(Plan().names.has_value());
}

TEST_F(NamespacesPlanTest, OwnOnesAreMadeWithWhatIsInThem) {
  EXPECT_EQ(PlanError(), "");
  const NamespacesPlan plan = Plan();
  EXPECT_EQ(plan.clone_flags,
            uint64_t{CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS});
  EXPECT_EQ(plan.names->host, "node");
  EXPECT_EQ(plan.names->domain, "domain");
  EXPECT_EQ(plan.mounts->mounts.size(), 1U);
}

TEST_F(NamespacesPlanTest, IpcSysctlsHaveTheirValues) {
  const NamespacesPlan plan = Plan();
  EXPECT_EQ(ValueOf(plan, "kernel/sem"), "32000\t1024000000\t500\t32000");
  EXPECT_EQ(ValueOf(plan, "kernel/shmmax"), "1234567");
  EXPECT_EQ(ValueOf(plan, "kernel/shmall"), "18446744073692774399");
  EXPECT_EQ(ValueOf(plan, "fs/mqueue/msg_max"), "10");
  EXPECT_EQ(ValueOf(plan, "kernel/shm_next_id"), "not set");
}

TEST_F(NamespacesPlanTest, NetSysctlsAreCountedFromTheirTables) {
  pb::netns_entry& net = images_.net.emplace();
  pb::sysctl_entry& first = *net.add_def_conf4();
  first.set_type(pb::CTL_32);
  first.set_iarg(1);
  pb::sysctl_entry& range = *net.add_ipv4_sysctl();
  range.set_type(pb::CTL_STR);
  range.set_sarg("0\t5\n");
  pb::net_device_entry& loopback = AddDevice(pb::LOOPBACK, "lo");
  loopback.add_conf6()->set_type(pb::CTL_STR);
  pb::sysctl_entry& second = *loopback.add_conf6();
  second.set_type(pb::CTL_32);
  second.set_iarg(-1);
  const NamespacesPlan plan = Plan();
  EXPECT_EQ(ValueOf(plan, "net/ipv4/conf/default/accept_local"), "1");
  EXPECT_EQ(ValueOf(plan, "net/ipv4/ping_group_range"), "0\t5\n");
  EXPECT_EQ(ValueOf(plan, "net/ipv6/conf/lo/accept_dad"), "not set");
  EXPECT_EQ(ValueOf(plan, "net/ipv6/conf/lo/accept_ra"), "-1");
  EXPECT_TRUE(plan.loopback_is_up);
}

TEST_F(NamespacesPlanTest, ALoopbackThatIsDownStaysDown) {
  AddDevice(pb::LOOPBACK, "lo").set_flags(IFF_LOOPBACK);
  EXPECT_EQ(PlanError(), "");
  EXPECT_FALSE(Plan().loopback_is_up);
}

TEST_F(NamespacesPlanTest, OtherDevicesAreRefusedByName) {
  AddDevice(pb::VETH, "eth0");
  EXPECT_EQ(PlanError(), "netdev-102.img: network device eth0 of type VETH is not supported");
}

TEST_F(NamespacesPlanTest, RoutesAndFiltersAreRefused) {
  images_.net_traffic_rules = {"route-102.img"};
  EXPECT_EQ(PlanError(), "route-102.img: routes and packet filters are not supported");
}

TEST_F(NamespacesPlanTest, OtherKindsOfNamespacesAreRefusedByName) {
  first_.set_user_ns_id(70);
  first_.set_time_ns_id(50);
  first_.set_cgroup_ns_id(80);
  second_ = first_;
  EXPECT_EQ(PlanError(),
            "ids-1.img: process 1 has its own user namespace (id 70), which is not supported\n"
            "ids-1.img: process 1 has its own cgroup namespace (id 80), which is not supported\n"
            "ids-1.img: process 1 has its own time namespace (id 50), which is not supported");
}

TEST_F(NamespacesPlanTest, ProcessesInSeveralNamespacesAreRefused) {
  second_.set_net_ns_id(500);
  EXPECT_EQ(PlanError(),
            "ids-2.img: process 2 is in network namespace 500, process 1 in 102: several are not "
            "supported");
}

TEST_F(NamespacesPlanTest, ImagesThatAreMissingAreNamed) {
  images_ = NamespaceImages();
  EXPECT_EQ(PlanError(),
            "utsns-104.img: is missing, and there is an own uts namespace\n"
            "ipcns-var-103.img: is missing, and there is an own ipc namespace\n"
            "mountpoints-106.img: is missing, and there is an own mount namespace");
}

TEST_F(NamespacesPlanTest, AnOwnMountNamespaceNeedsARoot) {
  root_ = "";
  EXPECT_EQ(PlanError(),
            "the processes have a mount namespace of their own: --root must name the directory "
            "that is its root");
}

TEST_F(NamespacesPlanTest, SystemVObjectsAreRefused) {
  images_.ipc_objects = {"ipcns-sem-103.img"};
  EXPECT_EQ(PlanError(), "ipcns-sem-103.img: System V objects are not supported");
}

TEST_F(NamespacesPlanTest, TheFirstOfAPidNamespaceHasNumberOne) {
  const NamespacesPlan plan =
      PlanNamespaces({{7, &first_}}, root_ids_, images_, root_, {}, findings_);
  EXPECT_EQ(findings_.AsResult().error().message,
            "pstree.img: the first process has a pid namespace of its own, but its number there is "
            "7 and not 1");
}

}  // namespace
}  // namespace ckpt
