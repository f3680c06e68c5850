#include "restorer/file_plan.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "restorer/sample_images.h"

namespace ckpt {
namespace {

class FilePlanTest : public testing::Test {
 protected:
  FilePlanner& Planner() {
    planner_.emplace(images_, plan_, findings_);
    return *planner_;
  }
  std::string Error() {
    const Result<> result = findings_.AsResult();
    return result.has_error() ? result.error().message : "";
  }
  pb::file_entry& AddPipe(uint32_t id, uint32_t pipe_id, uint32_t flags) {
    pb::file_entry& file = images_.files.emplace_back();
    file.set_type(pb::PIPE);
    file.set_id(id);
    file.mutable_pipe()->set_id(id);
    file.mutable_pipe()->set_pipe_id(pipe_id);
    file.mutable_pipe()->set_flags(flags);
    file.mutable_pipe()->mutable_fown();
    return file;
  }
  void AddFifo(uint32_t id, uint32_t pipe_id, uint32_t regular_id) {
    pb::file_entry& file = images_.files.emplace_back();
    file.set_type(pb::FIFO);
    file.set_id(id);
    file.mutable_fifo()->set_id(id);
    file.mutable_fifo()->set_pipe_id(pipe_id);
    file.mutable_fifo()->set_regf_id(regular_id);
  }
  void AddContent(uint32_t pipe_id, const std::string& content) {
    PipeDataImage data;
    data.entry.set_pipe_id(pipe_id);
    data.entry.set_bytes(static_cast<uint32_t>(content.size()));
    data.entry.set_size(8192);
    data.content = content;
    images_.pipe_data.push_back(data);
  }

  DumpImages images_ = SampleImages();
  RestorePlan plan_;
  Findings findings_;
  std::optional<FilePlanner> planner_;
};

TEST_F(FilePlanTest, OnlyFilesInUseAreInThePlan) {
  Planner().Use(kSampleExeId, "a mapping");
  EXPECT_EQ(Error(), "");
  ASSERT_EQ(plan_.files.size(), 1U);
  EXPECT_EQ(plan_.files.at(kSampleExeId).path, "/bin/sh");
  EXPECT_EQ(plan_.files.at(kSampleExeId).place, "files.img entry id 1");
}

TEST_F(FilePlanTest, WhatTheDumpSaysOfAFileIsKept) {
  pb::reg_file_entry& entry = *images_.files[0].mutable_reg();
  entry.set_flags(O_WRONLY | O_APPEND | O_CREAT | O_TRUNC);
  entry.set_pos(100);
  entry.set_size(200);
  entry.set_mode(0100644);
  entry.mutable_fown()->set_pid(42);
  entry.mutable_fown()->set_signum(10);
  Planner().Use(kSampleExeId, "a mapping");
  const FilePlan& file = plan_.files.at(kSampleExeId);
  EXPECT_EQ(file.flags, O_WRONLY | O_APPEND);
  EXPECT_EQ(file.position, 100U);
  EXPECT_EQ(file.size_bytes, 200U);
  EXPECT_EQ(file.mode, 0100644U);
  ASSERT_TRUE(file.owner.has_value());
  EXPECT_EQ(file.owner->signal, 10);
}

TEST_F(FilePlanTest, AnIdWithoutEntryIsAnErrorThatNamesTheUser) {
  Planner().Use(9, "fdinfo-2.img: descriptor 3");
  EXPECT_EQ(Error(), "fdinfo-2.img: descriptor 3: file id 9 is not in files.img");
}

TEST_F(FilePlanTest, AnIdThatIsThereTwiceIsAnError) {
  images_.files.push_back(SampleFile(kSampleExeId, "/bin/true"));
  Planner();
  EXPECT_EQ(Error(), "files.img: two entries have the id 1");
}

TEST_F(FilePlanTest, TypesThatAreNotSupportedAreNamed) {
  images_.files[0].set_type(pb::INETSK);
  Planner().Use(kSampleExeId, "fdinfo-2.img: descriptor 5");
  EXPECT_EQ(Error(),
            "files.img entry id 1: a file of type INETSK is not supported (fdinfo-2.img: "
            "descriptor 5)");
}

TEST_F(FilePlanTest, AnEntryMustHoldTheMessageOfItsType) {
  images_.files[0].set_type(pb::PIPE);
  Planner().Use(kSampleExeId, "fdinfo-2.img: descriptor 5");
  EXPECT_EQ(Error(), "files.img entry id 1: is said to be PIPE, but holds no such message");
}

TEST_F(FilePlanTest, APathBeginsWithASlash) {
  images_.files[0].mutable_reg()->set_name("bin/sh");
  Planner().Use(kSampleExeId, "exe");
  EXPECT_EQ(Error(), "files.img entry id 1: path \"bin/sh\" does not begin with a slash");
}

TEST_F(FilePlanTest, ExternalFilesAreRefused) {
  images_.files[0].mutable_reg()->set_ext(true);
  images_.files[0].mutable_reg()->set_name("file[1a:2b]");
  Planner().Use(kSampleExeId, "exe");
  EXPECT_EQ(Error(),
            "files.img entry id 1: \"file[1a:2b]\" names an external file, which is not supported "
            "(exe)");
}

TEST_F(FilePlanTest, ADeletedFileIsTheGhostOfItsRemap) {
  pb::remap_file_path_entry& remap = images_.remaps.emplace_back();
  remap.set_orig_id(kSampleExeId);
  remap.set_remap_id(3);
  remap.set_remap_type(pb::GHOST);
  images_.ghosts[3].entry.set_mode(S_IFREG | 0755);
  Planner().Use(kSampleExeId, "exe");
  EXPECT_EQ(Error(), "");
  EXPECT_EQ(plan_.files.at(kSampleExeId).ghost_id, 3U);
  EXPECT_EQ(plan_.ghosts.at(3).path, "/bin/sh");
  EXPECT_EQ(plan_.ghosts.at(3).mode, mode_t{S_IFREG | 0755});
}

TEST_F(FilePlanTest, AGhostThatIsMissingIsAnError) {
  pb::remap_file_path_entry& remap = images_.remaps.emplace_back();
  remap.set_orig_id(kSampleExeId);
  remap.set_remap_id(1);
  Planner().Use(kSampleExeId, "exe");
  EXPECT_EQ(Error(), "files.img entry id 1: /bin/sh had been deleted, and ghost 1 is missing");
}

TEST_F(FilePlanTest, RemapsToOtherLinksAreRefused) {
  pb::remap_file_path_entry& remap = images_.remaps.emplace_back();
  remap.set_orig_id(kSampleExeId);
  remap.set_remap_id(1);
  remap.set_remap_type(pb::LINKED);
  Planner().Use(kSampleExeId, "exe");
  EXPECT_EQ(Error(),
            "files.img entry id 1: /bin/sh had been deleted, and its remap of type LINKED is not "
            "supported");
}

TEST_F(FilePlanTest, APipeHasNoPath) {
  AddPipe(5, 77, O_RDONLY);
  Planner().UsePath(5, "fs-42.img: cwd_id");
  EXPECT_EQ(Error(), "fs-42.img: cwd_id: file id 5 has no path");
}

TEST_F(FilePlanTest, APipeInUseGetsItsContent) {
  AddPipe(5, 77, O_RDONLY);
  AddPipe(6, 77, O_WRONLY | O_NONBLOCK);
  AddContent(77, "hello");
  AddContent(78, "of nobody");
  FilePlanner& planner = Planner();
  planner.Use(5, "descriptor 0");
  planner.Use(6, "descriptor 1");
  planner.PlanPipes();
  EXPECT_EQ(Error(), "");
  ASSERT_EQ(plan_.pipes.size(), 1U);
  EXPECT_EQ(plan_.pipes.at(77).content, "hello");
  EXPECT_EQ(plan_.pipes.at(77).capacity_bytes, 8192U);
  EXPECT_EQ(plan_.files.at(6).flags, O_WRONLY | O_NONBLOCK);
}

TEST_F(FilePlanTest, AFifoHasThePathOfItsRegularEntryAndContentOfItsOwn) {
  images_.files.push_back(SampleFile(5, "/run/fifo"));
  images_.files.back().mutable_reg()->set_flags(O_RDWR | O_NONBLOCK);
  AddFifo(6, 77, 5);
  AddPipe(7, 77, O_RDONLY);
  AddContent(77, "of the pipe");
  std::swap(images_.fifo_data, images_.pipe_data);
  FilePlanner& planner = Planner();
  planner.Use(6, "descriptor 0");
  planner.Use(7, "descriptor 1");
  planner.PlanPipes();
  EXPECT_EQ(Error(), "");
  const FilePlan& file = plan_.files.at(6);
  EXPECT_EQ(file.kind, FilePlan::Kind::kFifo);
  EXPECT_EQ(file.place, "files.img entry id 6");
  EXPECT_EQ(file.path, "/run/fifo");
  EXPECT_EQ(file.flags, O_RDWR | O_NONBLOCK);
  EXPECT_EQ(plan_.fifos.at(77).content, "of the pipe");
  EXPECT_EQ(plan_.pipes.at(77).content, "");
  EXPECT_FALSE(plan_.files.contains(5));
}

TEST_F(FilePlanTest, AFifoNeedsARegularEntry) {
  AddFifo(6, 77, 5);
  Planner().Use(6, "fdinfo-2.img: descriptor 3");
  EXPECT_EQ(Error(),
            "files.img entry id 6: regf_id 5 is not a regular file of files.img (fdinfo-2.img: "
            "descriptor 3)");
}

TEST_F(FilePlanTest, ADeletedFifoIsAGhost) {
  images_.files.push_back(SampleFile(5, "/run/fifo"));
  AddFifo(6, 77, 5);
  pb::remap_file_path_entry& remap = images_.remaps.emplace_back();
  remap.set_orig_id(5);
  remap.set_remap_id(1);
  images_.ghosts[1].entry.set_mode(S_IFIFO | 0600);
  Planner().Use(6, "descriptor 3");
  EXPECT_EQ(Error(), "");
  EXPECT_EQ(plan_.files.at(6).ghost_id, 1U);
  EXPECT_EQ(plan_.files.at(6).kind, FilePlan::Kind::kFifo);
}

TEST_F(FilePlanTest, ContentThatIsThereTwiceIsAnError) {
  AddPipe(5, 77, O_RDONLY);
  AddContent(77, "hello");
  AddContent(77, "hello");
  FilePlanner& planner = Planner();
  planner.Use(5, "descriptor 0");
  planner.PlanPipes();
  EXPECT_EQ(Error(), "pipes-data.img: two entries are of pipe 77");
}

}  // namespace
}  // namespace ckpt
