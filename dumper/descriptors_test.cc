#include "dumper/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/file.h"
#include "dumper/descriptor_holder.h"

namespace ckpt {
namespace {

TEST(DescriptorsTest, DupsShareAnEntryAndTwoOpensDoNot) {
  DescriptorHolder holder([] {
    MoveTo(open("/dev/null", O_RDWR), 300);
    dup2(300, 301);
    MoveTo(open("/dev/null", O_RDWR), 302);
    fcntl(301, F_SETFD, FD_CLOEXEC);
  });
  const Descriptors descriptors = holder.Collect().value();
  const auto& first = holder.EntryOf(descriptors, 300);
  EXPECT_EQ(first.reg().name(), "/dev/null");
  EXPECT_EQ(holder.EntryOf(descriptors, 301).id(), first.id());
  EXPECT_NE(holder.EntryOf(descriptors, 302).id(), first.id());
  for (const pb::fdinfo_entry& fd : descriptors.fds) {
    if (fd.fd() < 300) continue;
    EXPECT_EQ(fd.flags(), fd.fd() == 301 ? 1U : 0U);
  }
}

TEST(DescriptorsTest, TheContentOfAPipeIsCopiedAndLeftInIt) {
  DescriptorHolder holder([] {
    std::array<int, 2> ends{};
    static_cast<void>(!pipe2(ends.data(), O_NONBLOCK));
    MoveTo(ends[0], 300);
    MoveTo(ends[1], 301);
    static_cast<void>(!write(301, "left here", 9));
  });
  for (int round = 0; round < 2; ++round) {
    holder.files = {};
    const Descriptors descriptors = holder.Collect().value();
    const pb::pipe_entry& read_end = holder.EntryOf(descriptors, 300).pipe();
    EXPECT_EQ(holder.EntryOf(descriptors, 301).pipe().pipe_id(), read_end.pipe_id());
    EXPECT_EQ(read_end.flags(), uint32_t{O_NONBLOCK});
    const auto pipe =
        std::ranges::find(descriptors.pipes, read_end.pipe_id(),
                          [](const PipeContent& content) { return content.entry.pipe_id(); });
    ASSERT_NE(pipe, descriptors.pipes.end());
    EXPECT_EQ(pipe->bytes, "left here");
    EXPECT_EQ(pipe->entry.bytes(), 9U);
    EXPECT_EQ(pipe->entry.size(), 65536U);
  }
}

TEST(DescriptorsTest, ManyDescriptionsThatAreAlikeAreToldApart) {
  DescriptorHolder holder([] {
    for (int number = 300; number < 340; number += 2) {
      MoveTo(eventfd(0, 0), number);
      dup2(number, number + 1);
    }
  });
  const Descriptors descriptors = holder.Collect().value();
  std::set<uint32_t> ids;
  for (uint32_t number = 300; number < 340; number += 2) {
    const uint32_t id = holder.EntryOf(descriptors, number).id();
    EXPECT_TRUE(ids.insert(id).second) << number;
    EXPECT_EQ(holder.EntryOf(descriptors, number + 1).id(), id);
  }
}

TEST(DescriptorsTest, AllThatCannotBeDumpedIsNamedAtOnce) {
  const std::string deleted = testing::TempDir() + "/descriptors_test_deleted";
  const std::string linked = testing::TempDir() + "/descriptors_test_linked";
  const std::string locked = testing::TempDir() + "/descriptors_test_locked";
  std::array<int, 2> outside{};
  ASSERT_EQ(pipe2(outside.data(), O_CLOEXEC), 0);
  DescriptorHolder holder([&] {
    MoveTo(socket(AF_INET, SOCK_STREAM, 0), 300);
    MoveTo(inotify_init(), 301);
    MoveTo(open(deleted.c_str(), O_RDWR | O_CREAT, 0600), 302);
    static_cast<void>(!link(deleted.c_str(), linked.c_str()));
    unlink(deleted.c_str());
    MoveTo(open(locked.c_str(), O_RDWR | O_CREAT, 0600), 303);
    flock(303, LOCK_EX);
    dup2(outside[0], 304);
    close(outside[0]);
    close(outside[1]);
  });
  static_cast<void>(holder.Collect().value());
  unlink(locked.c_str());
  unlink(linked.c_str());
  close(outside[0]);
  close(outside[1]);
  const auto names = [&](const std::string& what) {
    return std::ranges::count_if(holder.refusals.findings(), [&](const std::string& finding) {
      return finding.find(what) != std::string::npos;
    });
  };
  EXPECT_EQ(names("fd 300 is socket:["), 1);
  EXPECT_EQ(names("fd 301 is anon_inode:inotify: files of this kind are not supported yet"), 1);
  EXPECT_EQ(names("/descriptors_test_deleted (deleted): its name was removed and it has 1 others"),
            1);
  EXPECT_EQ(names("/descriptors_test_locked: a file lock or lease is held on it"), 1);
  EXPECT_EQ(names("its other end is in another process"), 1);
}

TEST(DescriptorsTest, DeletedFilesBecomeGhosts) {
  const std::string path = testing::TempDir() + "/descriptors_test_ghost";
  DescriptorHolder holder([&] {
    MoveTo(open(path.c_str(), O_RDWR | O_CREAT, 0600), 300);
    MoveTo(open(path.c_str(), O_RDONLY), 301);
    unlink(path.c_str());
    mkfifo(path.c_str(), 0600);
    MoveTo(open(path.c_str(), O_RDWR), 302);
    unlink(path.c_str());
  });
  const auto descriptors = holder.Collect().value();
  EXPECT_TRUE(holder.EntryOf(descriptors, 300).reg().name().ends_with("descriptors_test_ghost"));
  const GhostFiles& ghosts = holder.files.ghosts();
  ASSERT_EQ(ghosts.remaps().size(), 3U);
  EXPECT_EQ(ghosts.remaps()[0].orig_id(), holder.EntryOf(descriptors, 300).id());
  EXPECT_EQ(ghosts.remaps()[0].remap_id(), ghosts.remaps()[1].remap_id());
  EXPECT_EQ(ghosts.remaps()[2].orig_id(), holder.EntryOf(descriptors, 302).fifo().regf_id());
  EXPECT_EQ(ghosts.files().size(), 2U);
}

TEST(DescriptorsTest, TheOwnerOfAFileIsKept) {
  DescriptorHolder holder([] {
    std::array<int, 2> ends{};
    static_cast<void>(!pipe(ends.data()));
    MoveTo(ends[0], 300);
    MoveTo(ends[1], 301);
    fcntl(300, F_SETOWN, getpid());
    fcntl(300, F_SETSIG, SIGUSR2);
  });
  const Descriptors descriptors = holder.Collect().value();
  const pb::fown_entry& owner = holder.EntryOf(descriptors, 300).pipe().fown();
  EXPECT_NE(owner.pid(), 0U);
  EXPECT_EQ(owner.signum(), uint32_t{SIGUSR2});
  EXPECT_EQ(owner.pid_type(), uint32_t{F_OWNER_PID});
  EXPECT_EQ(holder.EntryOf(descriptors, 301).pipe().fown().pid(), 0U);
}

}  // namespace
}  // namespace ckpt
