#include "imgtool/explore/diff_command.h"

#include <gmock/gmock.h>
#include <rapidjson/document.h>

#include "formats/pagemap.h"
#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/task.pb.h"
#include "imgtool/explore/explored_dump.h"

namespace ckpt {
namespace {

using testing::HasSubstr;

class DiffCommand : public ExploredDump {
 protected:
  void SetUp() override {
    ExploredDump::SetUp();
    old_ = Write("old");
  }

  // Of the sample as it was at first with the sample as it is now.
  ToolRun Diff(const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"diff", old_, Write("new")};
    args.insert(args.end(), more.begin(), more.end());
    return RunTool(args);
  }

  std::string old_;
};

TEST_F(DiffCommand, ADumpDoesNotDifferFromItself) {
  const ToolRun run = Diff();
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out, "no difference\n");
}

TEST_F(DiffCommand, IdsThatTheDumperGivesAwayAreNoDifference) {
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (!file.has_tfd()) return false;
    file.set_id(99);
    file.mutable_tfd()->set_id(99);
    return true;
  });
  sample_.dump.Edit<pb::fdinfo_entry>(ImageType::kFdinfo, [](pb::fdinfo_entry& descriptor) {
    if (descriptor.type() != pb::TIMERFD) return false;
    descriptor.set_id(99);
    return true;
  });
  const ToolRun run = Diff();
  EXPECT_EQ(run.code, 0) << run.out;
}

TEST_F(DiffCommand, ChangedFieldsAreNamedByTaskAndPath) {
  sample_.dump.Edit<pb::core_entry>(ImageType::kCore, [](pb::core_entry& core) {
    core.mutable_tc()->set_task_state(3);
    core.mutable_thread_info()->mutable_gpregs()->set_ip(7);
    return true;
  });
  const ToolRun run = Diff();
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_EQ(run.out,
            "tasks\n"
            "  ~ pid 1: state: alive -> stopped\n"
            "  ~ pid 1 thread 1: tc.task_state: 1 -> 3\n"
            "  ~ pid 1 registers of thread 1: ip: 0x0 -> 0x7\n");
}

TEST_F(DiffCommand, TasksThatAreGoneAreOneLine) {
  sample_.dump.Remove("pstree.img");
  pb::pstree_entry root;
  root.set_pid(1);
  root.set_ppid(0);
  root.set_pgid(1);
  root.set_sid(1);
  root.add_threads(1);
  root.add_threads(2);
  sample_.dump.Add(ImageType::kPstree, 0, root);
  const ToolRun run = Diff();
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.out, HasSubstr("  - pid 3\n  - pid 4\n"));
}

TEST_F(DiffCommand, DescriptorsAreGoneNewAndChanged) {
  sample_.dump.Edit<pb::fdinfo_entry>(ImageType::kFdinfo, [](pb::fdinfo_entry& descriptor) {
    if (descriptor.fd() != 17) return false;
    descriptor.set_fd(40);
    return true;
  });
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (!file.has_tfd()) return false;
    file.mutable_tfd()->set_ticks(5);
    return true;
  });
  const ToolRun run = Diff();
  EXPECT_THAT(run.out, HasSubstr("  ~ pid 1 fd 15: ticks: 0 -> 5\n"));
  EXPECT_THAT(run.out, HasSubstr("  - pid 1 fd 17: REG /tmp/deleted (deleted)\n"));
  EXPECT_THAT(run.out, HasSubstr("  + pid 1 fd 40: REG /tmp/deleted (deleted)\n"));
}

TEST_F(DiffCommand, MappingsMountsAndSocketsAreCompared) {
  sample_.dump.Edit<pb::mm_entry>(ImageType::kMm, [](pb::mm_entry& mm) {
    mm.mutable_vmas(1)->set_prot(3);
    return true;
  });
  sample_.dump.Edit<pb::mnt_entry>(ImageType::kMnts, [](pb::mnt_entry& mount) {
    if (mount.mountpoint() != "/tmp") return false;
    mount.set_flags(1);
    return true;
  });
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (!file.has_isk()) return false;
    file.mutable_isk()->set_state(8);
    return true;
  });
  const ToolRun run = Diff();
  EXPECT_THAT(run.out, HasSubstr("mappings\n  ~ pid 1 14000: prot: - -> PROT_READ | PROT_WRITE\n"));
  EXPECT_THAT(run.out, HasSubstr("mounts\n  ~ namespace of pid 1: /tmp: flags: 0x0 -> 0x1\n"));
  EXPECT_THAT(run.out,
              HasSubstr("sockets\n  ~ socket of pid 1 fd 11: state: ESTABLISHED -> CLOSE_WAIT\n"));
}

TEST_F(DiffCommand, PagesAreComparedByContentThroughTheParents) {
  std::string pages = sample_.parent.files().at("pages-1.img");
  pages[5 * kPageBytes] = 'x';  // of the second page that the dump leaves to its parent
  sample_.parent.Set("pages-1.img", pages);
  const ToolRun run = Diff();
  EXPECT_EQ(run.code, 1);
  EXPECT_EQ(run.out, "pages\n  ~ pid 1: 15000-16000, 1 page changed\n");
  EXPECT_EQ(Diff({"--no-pages"}).code, 0);
}

TEST_F(DiffCommand, JsonHasOldAndNew) {
  std::string pages = sample_.dump.files().at("pages-500.img");
  pages[0] = 'x';
  sample_.dump.Set("pages-500.img", pages);
  const ToolRun run = Diff({"--json"});
  rapidjson::Document json;
  json.Parse(run.out.c_str());
  ASSERT_FALSE(json.HasParseError()) << run.out;
  EXPECT_EQ(json["change_count"].GetInt(), 1);
  const auto& change = json["changes"][0];
  EXPECT_STREQ(change["section"].GetString(), "pages");
  EXPECT_STREQ(change["object"].GetString(), "shared memory of pid 1 100000");
  EXPECT_EQ(change["pages"].GetInt(), 1);
}

TEST_F(DiffCommand, OtherImagesAreComparedByField) {
  sample_.dump.Remove("utsns-14.img");
  pb::utsns_entry uts;
  uts.set_nodename("other");
  sample_.dump.Add(ImageType::kUtsns, 14, uts);
  EXPECT_EQ(Diff().out, "other images\n  ~ UTSNS of pid 1: entry 0: nodename: \"\" -> \"other\"\n");
}

TEST_F(DiffCommand, ADamagedImageEndsInItsOwnExitCode) {
  sample_.dump.Set("mm-1.img", "no image");
  const ToolRun run = Diff();
  EXPECT_EQ(run.code, 4);
  EXPECT_THAT(run.err, HasSubstr("mm-1.img: "));
}

}  // namespace
}  // namespace ckpt
