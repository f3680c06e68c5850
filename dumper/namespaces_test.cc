#include "dumper/namespaces.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

#include "dumper/ipc_namespace.h"
#include "dumper/net_namespace.h"
#include "dumper/uts_namespace.h"
#include "process/child_for_test.h"
#include "process/joined_namespaces.h"

namespace ckpt {
namespace {

using enum NamespaceKind;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::IsEmpty;

// A child in namespaces of its own.
class InNamespaces : public ChildForTest {
 public:
  explicit InNamespaces(int flags)
      : ChildForTest([flags](const auto& ready) {
          if (flags != 0 && unshare(flags) != 0) return 1;
          if ((flags & CLONE_NEWUTS) != 0 && sethostname("inside", 6) != 0) return 1;
          ready();
          return pause();
        }) {}
};

class NamespacesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can make namespaces";
  }
};

TEST_F(NamespacesTest, OneThatIsSharedHasTheDumpersNumber) {
  const InNamespaces child(CLONE_NEWUTS | CLONE_NEWIPC);
  const Namespaces namespaces = Namespaces::Read(child.pid()).value();
  EXPECT_TRUE(namespaces.IsOwn(kUts));
  EXPECT_FALSE(namespaces.IsOwn(kNet));
  EXPECT_EQ(namespaces.JoinableFlags(), CLONE_NEWUTS | CLONE_NEWIPC);
  pb::task_kobj_ids_entry dumper;
  pb::task_kobj_ids_entry task;
  namespaces.FillDumperIds(dumper);
  namespaces.FillTaskIds(task);
  EXPECT_EQ(task.net_ns_id(), dumper.net_ns_id());
  EXPECT_EQ(task.mnt_ns_id(), dumper.mnt_ns_id());
  EXPECT_NE(task.uts_ns_id(), dumper.uts_ns_id());
  EXPECT_NE(task.ipc_ns_id(), task.uts_ns_id());
  Refusals refusals;
  namespaces.Refuse(1, refusals);
  EXPECT_THAT(refusals.findings(), IsEmpty());
}

TEST_F(NamespacesTest, NoneOfOnesOwnHasNothingToJoin) {
  const InNamespaces child(0);
  const Namespaces namespaces = Namespaces::Read(child.pid()).value();
  EXPECT_FALSE(namespaces.AnyIsOwn());
  EXPECT_EQ(namespaces.JoinableFlags(), 0);
}

TEST_F(NamespacesTest, AUserNamespaceIsRefused) {
  const InNamespaces child(CLONE_NEWUSER);
  Refusals refusals;
  Namespaces::Read(child.pid()).value().Refuse(1, refusals);
  EXPECT_THAT(refusals.findings(),
              ElementsAre(ContainsRegex("^it is in another user namespace, user:\\[[0-9]+\\]: not "
                                        "supported yet$")));
}

TEST_F(NamespacesTest, AProcessInOthersThanTheRootIsRefused) {
  const InNamespaces root(0);
  const InNamespaces other(CLONE_NEWUTS);
  const Namespaces namespaces = Namespaces::Read(root.pid()).value();
  Refusals refusals;
  ASSERT_TRUE(namespaces.CheckTask(root.pid(), refusals).has_value());
  EXPECT_THAT(refusals.findings(), IsEmpty());
  ASSERT_TRUE(namespaces.CheckTask(other.pid(), refusals).has_value());
  EXPECT_THAT(
      refusals.findings(),
      ElementsAre(ContainsRegex("^it is in another uts namespace, uts:\\[[0-9]+\\], than the "
                                "root of the tree, uts:\\[[0-9]+\\]: not supported yet$")));
}

TEST_F(NamespacesTest, WhatIsInThemIsReadFromInside) {
  const InNamespaces child(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET);
  Refusals refusals;
  const Result<> read =
      RunInNamespacesOf(child.pid(), CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET, [&]() -> Result<> {
        CKPT_TRY(const pb::utsns_entry names, ReadUtsNamespace());
        EXPECT_EQ(names.nodename(), "inside");
        CKPT_TRY(const pb::ipc_var_entry ipc, ReadIpcNamespace("/proc", refusals));
        EXPECT_EQ(ipc.msg_ctlmax(), 8192U);
        EXPECT_EQ(ipc.sem_ctls_size(), 4);
        CKPT_TRY(const NetNamespace net, ReadNetNamespace("/proc", refusals));
        EXPECT_EQ(net.loopback.name(), "lo");
        EXPECT_EQ(net.loopback.flags() & 1U, 0U);  // IFF_UP
        EXPECT_EQ(net.sysctls.def_conf4_size(), net.loopback.conf4_size());
        EXPECT_EQ(net.addresses.size(), 4U);  // the magic, and no address
        return success();
      });
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_THAT(refusals.findings(), IsEmpty());
}

TEST_F(NamespacesTest, ObjectsOfSystemVAreRefused) {
  const InNamespaces child(CLONE_NEWIPC);
  Refusals refusals;
  const Result<> read = RunInNamespacesOf(child.pid(), CLONE_NEWIPC, [&]() -> Result<> {
    if (semget(99, 1, IPC_CREAT | 0600) < 0) return ErrnoError(errno, "semget(99)");
    CKPT_TRY(ReadIpcNamespace("/proc", refusals));
    return success();
  });
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_THAT(
      refusals.findings(),
      ElementsAre("System V semaphore set 0 with key 99 in its IPC namespace: not supported "
                  "yet"));
}

}  // namespace
}  // namespace ckpt
