#include "restorer/unix_socket_plan.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>

namespace ckpt {
namespace {

class UnixSocketPlanTest : public testing::Test {
 protected:
  // Socket `id` has the inode 100 + id.
  pb::unix_sk_entry& Add(uint32_t id, uint32_t peer_id) {
    pb::file_entry& file = images_.files.emplace_back();
    file.set_type(pb::UNIXSK);
    file.set_id(id);
    pb::unix_sk_entry& entry = *file.mutable_usk();
    entry.set_id(id);
    entry.set_ino(100 + id);
    entry.set_type(SOCK_STREAM);
    entry.set_state(TCP_ESTABLISHED);
    entry.set_flags(O_RDWR | O_NONBLOCK);
    entry.set_peer(peer_id == 0 ? 0 : 100 + peer_id);
    return entry;
  }

  void Queue(uint32_t id, const std::string& text) {
    SocketPacketImage& packet = images_.socket_packets.emplace_back();
    packet.entry.set_id_for(id);
    packet.content = text;
  }

  // Plans the socket entry at `index` of the images.
  FilePlan Plan(size_t index = 0) {
    FilePlan file;
    file.id = images_.files[index].id();
    file.place = fmt::format("files.img entry id {}", file.id);
    PlanUnixSocket(images_.files[index].usk(), file, plan_, findings_);
    return file;
  }

  std::string Error() const {
    const auto result = findings_.AsResult();
    return result.has_error() ? result.error().message : "";
  }

  DumpImages images_;
  RestorePlan plan_;
  Findings findings_;
};

TEST_F(UnixSocketPlanTest, APairKnowsEachOtherAndWhatIsQueued) {
  Add(1, 2).set_shutdown(pb::WRITE);
  Add(2, 1).set_shutdown(pb::READ);
  Queue(2, "one");
  Queue(1, "other");
  Queue(2, "two");
  EXPECT_EQ(Plan(0).kind, FilePlan::Kind::kUnixSocket);
  Plan(1);
  ConnectUnixSockets(images_, plan_, findings_);
  EXPECT_EQ(Error(), "");
  const UnixSocketPlan& first = plan_.unix_sockets.at(1);
  const UnixSocketPlan& second = plan_.unix_sockets.at(2);
  EXPECT_EQ(first.peer_id, 2U);
  EXPECT_EQ(second.peer_id, 1U);
  EXPECT_TRUE(first.is_connected);
  EXPECT_TRUE(first.writes_nothing_more);
  EXPECT_FALSE(first.reads_nothing_more);
  EXPECT_TRUE(second.reads_nothing_more);
  EXPECT_EQ(first.flags, O_RDWR | O_NONBLOCK);
  EXPECT_EQ(second.queue, (std::vector<std::string>{"one", "two"}));
}

TEST_F(UnixSocketPlanTest, APeerThatNobodyHasIsClosed) {
  Add(1, 2);
  Add(2, 1);
  Plan(0);
  ConnectUnixSockets(images_, plan_, findings_);
  EXPECT_EQ(Error(), "");
  EXPECT_EQ(plan_.unix_sockets.at(1).peer_id, 0U);
  EXPECT_TRUE(plan_.unix_sockets.at(1).is_connected);
}

TEST_F(UnixSocketPlanTest, APeerOutsideOfTheDumpIsRefused) {
  Add(1, 2);
  Plan(0);
  ConnectUnixSockets(images_, plan_, findings_);
  EXPECT_EQ(Error(),
            "files.img entry id 1: its peer 102 is not in the dump, which is not supported");
}

TEST_F(UnixSocketPlanTest, APeerOfAnotherIsRefused) {
  Add(1, 2);
  Add(2, 3);
  Plan(0);
  ConnectUnixSockets(images_, plan_, findings_);
  EXPECT_EQ(Error(),
            "files.img entry id 1: its peer 102 is not connected to it, which is not supported");
}

TEST_F(UnixSocketPlanTest, WhatIsNoPlainPairIsRefused) {
  Add(1, 0).set_name("/run/socket");
  Plan(0);
  EXPECT_EQ(Error(), "files.img entry id 1: unix sockets with a name are not supported");
}

TEST_F(UnixSocketPlanTest, AListeningSocketIsRefused) {
  Add(1, 0).set_state(TCP_LISTEN);
  Plan(0);
  EXPECT_EQ(Error(), "files.img entry id 1: a unix socket in state 10 is not supported");
}

TEST_F(UnixSocketPlanTest, DescriptorsOnTheirWayAreRefused) {
  Add(1, 0);
  Queue(1, "x");
  images_.socket_packets[0].entry.add_scm();
  Plan(0);
  ConnectUnixSockets(images_, plan_, findings_);
  EXPECT_EQ(Error(),
            "files.img entry id 1: descriptors are on their way in it, which is not supported");
}

}  // namespace
}  // namespace ckpt
