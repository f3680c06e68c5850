#include "restorer/dump_images.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "formats/image_writer.h"
#include "restorer/sample_images.h"

namespace ckpt {
namespace {

class DumpImagesTest : public testing::Test {
 protected:
  DumpImagesTest() {
    std::string name = testing::TempDir() + "dump_images.XXXXXX";
    directory_ = mkdtemp(name.data());
    const DumpImages images = SampleImages();
    const TaskImages& task = images.tasks.front();
    Write(ImageType::kInventory, 0, images.inventory);
    Write(ImageType::kPstree, 0, task.tree);
    Write(ImageType::kCore, kSamplePid, task.threads.front());
    Write(ImageType::kIds, kSamplePid, *task.ids);
    Write(ImageType::kMm, kSamplePid, *task.mm);
    Write(ImageType::kFs, kSamplePid, *task.fs);
    ImageEncoder pagemap(ImageType::kPagemap);
    pb::pagemap_head head;
    head.set_pages_id(1);
    EXPECT_TRUE(pagemap.Append(head).has_value());
    pb::pagemap_entry entry;
    entry.set_vaddr(0x500000);
    entry.set_compat_nr_pages(1);
    EXPECT_TRUE(pagemap.Append(entry).has_value());
    Put(ImageType::kPagemap, kSamplePid, pagemap.bytes());
    Put(ImageType::kPages, 1, std::string(4096, 'p'));
  }
  ~DumpImagesTest() override { std::filesystem::remove_all(directory_); }

  void Put(ImageType type, uint64_t id, const std::string& bytes) {
    const std::string path = directory_ + "/" + ImageFileName(type, id);
    EXPECT_TRUE(WriteWholeFile(path, AsBytes(bytes), 0644).has_value());
  }
  void Write(ImageType type, uint64_t id, const google::protobuf::Message& message,
             std::string_view extra = "") {
    ImageEncoder image(type);
    const Result<> appended = image.Append(message, AsBytes(extra));
    EXPECT_TRUE(appended.has_value()) << appended.error().message;
    Put(type, id, image.bytes());
  }
  void Remove(ImageType type, uint64_t id) {
    std::filesystem::remove(directory_ + "/" + ImageFileName(type, id));
  }
  std::string Error() {
    const auto dump = LoadDump(directory_);
    return dump.has_error() ? dump.error().message : "";
  }

  std::string directory_;
};

TEST_F(DumpImagesTest, ImagesArePutTogetherByTask) {
  const auto dump = LoadDump(directory_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  ASSERT_EQ(dump.value().images.tasks.size(), 1U);
  const TaskImages& task = dump.value().images.tasks.front();
  EXPECT_EQ(task.threads.size(), 1U);
  EXPECT_TRUE(task.mm.has_value());
  ASSERT_EQ(task.pages.size(), 1U);
  EXPECT_EQ(task.pages.front().range, (RemoteRange{0x500000, 0x501000}));
  EXPECT_EQ(dump.value().pages_images.size(), 1U);
}

TEST_F(DumpImagesTest, AMissingInventoryIsAnError) {
  Remove(ImageType::kInventory, 0);
  EXPECT_NE(Error().find("inventory.img"), std::string::npos) << Error();
}

TEST_F(DumpImagesTest, AllMissingCoreImagesAreNamed) {
  pb::pstree_entry tree = SampleImages().tasks.front().tree;
  tree.add_threads(43);
  Write(ImageType::kPstree, 0, tree);
  Remove(ImageType::kCore, kSamplePid);
  EXPECT_NE(Error().find("core-42.img"), std::string::npos) << Error();
  EXPECT_NE(Error().find("core-43.img"), std::string::npos) << Error();
}

TEST_F(DumpImagesTest, PagesThatAreMissingAreAnError) {
  Put(ImageType::kPages, 1, std::string(100, 'p'));
  EXPECT_NE(Error().find("pages-1.img"), std::string::npos) << Error();
}

TEST_F(DumpImagesTest, FilesOfOldDumpsHaveImagesOfTheirOwn) {
  Write(ImageType::kRegFiles, 0, SampleFile(5, "/bin/sh").reg());
  const auto dump = LoadDump(directory_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  ASSERT_EQ(dump.value().images.files.size(), 1U);
  EXPECT_EQ(dump.value().images.files.front().id(), 5U);
  EXPECT_EQ(dump.value().images.files.front().reg().name(), "/bin/sh");
}

TEST_F(DumpImagesTest, WatchesOfOldDumpsAreJoinedWithTheirEpoll) {
  pb::eventpoll_file_entry epoll;
  epoll.set_id(5);
  epoll.set_flags(2);
  epoll.mutable_fown()->CopyFrom(SampleFile(1, "/").reg().fown());
  Write(ImageType::kEventpollFile, 0, epoll);
  pb::eventpoll_tfd_entry watch;
  watch.set_id(5);
  watch.set_tfd(8);
  watch.set_events(1);
  watch.set_data(0);
  Write(ImageType::kEventpollTfd, 0, watch);
  const auto dump = LoadDump(directory_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  ASSERT_EQ(dump.value().images.files.size(), 1U);
  EXPECT_EQ(dump.value().images.files.front().type(), pb::EVENTPOLL);
  EXPECT_EQ(dump.value().images.files.front().epfd().tfd(0).tfd(), 8U);
  watch.set_id(6);
  Write(ImageType::kEventpollTfd, 0, watch);
  EXPECT_EQ(Error(), "eventpoll-tfd.img: epoll 6 of a watch is not in eventpoll.img");
}

TEST_F(DumpImagesTest, FifosComeWithTheirContent) {
  pb::pipe_data_entry entry;
  entry.set_pipe_id(77);
  entry.set_bytes(5);
  Write(ImageType::kFifoData, 0, entry, "hello");
  const auto dump = LoadDump(directory_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  EXPECT_TRUE(dump.value().images.pipe_data.empty());
  ASSERT_EQ(dump.value().images.fifo_data.size(), 1U);
  EXPECT_EQ(dump.value().images.fifo_data.front().content, "hello");
}

TEST_F(DumpImagesTest, PipesComeWithTheirContent) {
  pb::pipe_data_entry entry;
  entry.set_pipe_id(77);
  entry.set_bytes(5);
  Write(ImageType::kPipesData, 0, entry, "hello");
  const auto dump = LoadDump(directory_);
  ASSERT_TRUE(dump.has_value()) << dump.error().message;
  ASSERT_EQ(dump.value().images.pipe_data.size(), 1U);
  EXPECT_EQ(dump.value().images.pipe_data.front().content, "hello");
}

TEST_F(DumpImagesTest, FileLocksAreRefusedByName) {
  pb::file_lock_entry lock;
  lock.set_flag(0);
  lock.set_type(0);
  lock.set_pid(42);
  lock.set_fd(3);
  lock.set_start(0);
  lock.set_len(0);
  Write(ImageType::kFileLocks, 0, lock);
  EXPECT_EQ(Error(), "filelocks.img: file locks are not supported");
}

}  // namespace
}  // namespace ckpt
