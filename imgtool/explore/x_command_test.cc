#include "imgtool/explore/x_command.h"

#include <gmock/gmock.h>
#include <rapidjson/document.h>

#include "formats/proto/files.pb.h"
#include "formats/proto/memory.pb.h"
#include "formats/proto/mounts.pb.h"
#include "formats/proto/task.pb.h"
#include "imgtool/explore/explored_dump.h"

namespace ckpt {
namespace {

using testing::HasSubstr;
using testing::Not;

class XCommand : public ExploredDump {
 protected:
  rapidjson::Document Json(const std::string& dump, const std::string& view) {
    const ToolRun run = Explore(dump, view, {"--json"});
    EXPECT_EQ(run.code, 0) << run.err;
    rapidjson::Document document;
    document.Parse(run.out.c_str());
    EXPECT_FALSE(document.HasParseError()) << run.out;
    return document;
  }

  void KillTask(uint32_t status) {
    sample_.dump.Edit<pb::core_entry>(ImageType::kCore, [&](pb::core_entry& core) {
      if (core.tc().task_state() != 2) return false;
      core.mutable_tc()->set_exit_code(status);
      return true;
    });
  }
};

TEST_F(XCommand, PsShowsTheTreeWithThreadsAndHowZombiesEnded) {
  KillTask(42 << 8);
  sample_.dump.Edit<pb::core_entry>(ImageType::kCore, [](pb::core_entry& core) {
    core.mutable_tc()->set_comm("app");
    core.mutable_thread_core()->mutable_creds()->set_uid(1000);
    return true;
  });
  const ToolRun run = Explore(Write("dump"), "ps");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(run.out,
            "PID PPID PGID SID STATE              UID GID COMMAND\n"
            "  1    0    1   1 alive             1000   0 app\n"
            "  2    -    -   - thread               -   -   \n"
            "  3    1    1   1 alive                0   0   \n"
            "  4    1    1   1 zombie, exited 42    -   -   \n");
}

TEST_F(XCommand, PsTellsOfSignalsThatKilledAndOfStates) {
  KillTask(15);
  EXPECT_THAT(Explore(Write("dump"), "ps").out, HasSubstr("zombie, killed by TERM"));
  KillTask(11 | 0x80);
  EXPECT_THAT(Explore(Write("dump"), "ps").out, HasSubstr("zombie, killed by SEGV, core dumped"));
  sample_.dump.Edit<pb::core_entry>(ImageType::kCore, [](pb::core_entry& core) {
    core.mutable_tc()->set_task_state(3);
    return true;
  });
  EXPECT_THAT(Explore(Write("dump"), "ps").out, HasSubstr("stopped"));
}

TEST_F(XCommand, MissingImagesOfATaskAreShownAsMissing) {
  for (const char* name : {"core-3.img", "core-2.img", "mm-3.img", "fs-3.img", "fdinfo-3.img"}) {
    ASSERT_TRUE(sample_.dump.Remove(name)) << name;
  }
  const std::string dump = Write("dump");
  EXPECT_THAT(Explore(dump, "ps").out, HasSubstr("no core image"));
  EXPECT_THAT(Explore(dump, "ps").out, HasSubstr("thread, no core image"));
  EXPECT_THAT(Explore(dump, "fds").out, HasSubstr("no fdinfo-3.img"));
  EXPECT_THAT(Explore(dump, "fds").out, HasSubstr("no fs-3.img"));
  EXPECT_THAT(Explore(dump, "mems").out, HasSubstr("no mm-3.img"));
  for (const char* view : kViewNames) EXPECT_EQ(Explore(dump, view).code, 0) << view;
}

TEST_F(XCommand, ADamagedImageIsReportedAndTheOthersAreShown) {
  const std::string dump = Write("dump");
  Put("dump/core-3.img", "no image");
  const ToolRun run = Explore(dump, "ps");
  EXPECT_EQ(run.code, 4);
  EXPECT_THAT(run.err, HasSubstr("imgtool x: " + dump + "/core-3.img: "));
  EXPECT_THAT(run.out, HasSubstr("zombie"));
}

TEST_F(XCommand, FdsDescribesFilesOfEveryKind) {
  const std::string out = Explore(Write("dump"), "fds").out;
  for (const char* text :
       {"pid 1", "cwd REG", "exe REG", "/bin/app", "pipe:[77] read end, writers 1/4, 3 bytes in it",
        "pipe:[77] write end, readers 1/3 3/0, 3 bytes in it", "/run/fifo, pipe:[78]",
        "/dev/pts/0, PTY", "/tmp/deleted (deleted)", "watches 3 0", "mount 101",
        "CLOCK_REALTIME, not armed", "unix 0 0 /run/socket -> /run/socket", "/memfd:", "map 5"}) {
    EXPECT_THAT(out, HasSubstr(text));
  }
}

TEST_F(XCommand, SharedDescriptorTablesAreToldOfOnce) {
  sample_.dump.Edit<pb::task_kobj_ids_entry>(ImageType::kIds, [](pb::task_kobj_ids_entry& ids) {
    if (ids.files_id() != 3) return false;
    ids.set_files_id(1);
    return true;
  });
  const std::string dump = Write("dump");
  EXPECT_THAT(Explore(dump, "fds").out, HasSubstr("pid 3, shares the descriptors of pid 1\n"));
  const rapidjson::Document json = Json(dump, "fds");
  EXPECT_EQ(json["processes"][1]["descriptors_of"].GetInt(), 1);
  // What is left are the working directory, root and executable.
  EXPECT_EQ(json["processes"][1]["descriptors"].Size(), 3U);
}

TEST_F(XCommand, MemsLooksAsProcMapsDoes) {
  const std::string out = Explore(Write("dump"), "mems", {"-p", "1"}).out;
  EXPECT_THAT(out, HasSubstr("00010000-00014000 ---p 00000000 file        /bin/app\n"));
  EXPECT_THAT(out, HasSubstr("[vdso]\n"));
  EXPECT_THAT(out, HasSubstr("shmem 500\n"));
  EXPECT_THAT(out, HasSubstr("SysV segment 502\n"));
  EXPECT_THAT(out, Not(HasSubstr("pid 3")));
}

TEST_F(XCommand, RssCountsPagesWhereverTheyAre) {
  const rapidjson::Document json = Json(Write("dump"), "rss");
  const auto& first = json["processes"][0];
  EXPECT_EQ(first["mappings"][0]["present"].GetInt(), 2);
  EXPECT_EQ(first["mappings"][1]["in_parent"].GetInt(), 2);
  EXPECT_EQ(first["mappings"][2]["present"].GetInt(), 1);  // shared
  EXPECT_EQ(first["present"].GetInt(), 6);
  EXPECT_EQ(first["in_parent"].GetInt(), 2);
  EXPECT_EQ(json["present"].GetInt(), 12);
}

TEST_F(XCommand, SocketsShowsQueuesPeersAndHolders) {
  const std::string dump = Write("dump");
  const ToolRun run = Explore(dump, "sockets");
  EXPECT_THAT(run.out, HasSubstr("FAMILY TYPE PROTO STATE"));
  EXPECT_THAT(run.out, HasSubstr("1/9"));
  const rapidjson::Document json = Json(dump, "sockets");
  EXPECT_EQ(json["sockets"].Size(), 3U);
  EXPECT_EQ(json["sockets"][0]["recv_q"].GetInt(), 1);
  EXPECT_STREQ(json["sockets"][2]["state"].GetString(), "ESTABLISHED");
  EXPECT_THAT(Explore(dump, "sockets", {"-p", "3"}).out, "");
}

TEST_F(XCommand, MountsShowsTheTreeOfANamespace) {
  const std::string out = Explore(Write("dump"), "mounts").out;
  EXPECT_THAT(out, HasSubstr("mount namespace 15 of pid 1, 3\n"));
  EXPECT_THAT(out, HasSubstr("101 /"));
  EXPECT_THAT(out, HasSubstr("103     /proc/sys"));
  EXPECT_THAT(out, HasSubstr("shared:1"));
  EXPECT_THAT(out, HasSubstr("master:1"));
  EXPECT_THAT(out, HasSubstr("hosts"));
}

TEST_F(XCommand, BytesThatAreNotPrintableAreEscaped) {
  sample_.dump.Edit<pb::file_entry>(ImageType::kFiles, [](pb::file_entry& file) {
    if (!file.has_reg() || file.id() != 1) return false;
    file.mutable_reg()->set_name("/bin/a\xff\n");
    return true;
  });
  const std::string dump = Write("dump");
  EXPECT_THAT(Explore(dump, "fds").out, HasSubstr("/bin/a\\377\\012"));
  EXPECT_THAT(Explore(dump, "fds", {"--json"}).out, HasSubstr("/bin/a\\udcff\\n"));
}

TEST_F(XCommand, EveryViewIsWholeJson) {
  const std::string dump = Write("dump");
  for (const char* view : kViewNames) EXPECT_TRUE(Json(dump, view).IsObject()) << view;
}

TEST_F(XCommand, RefusesWhatIsNoViewAndWhoIsNoProcess) {
  const std::string dump = Write("dump");
  EXPECT_EQ(Explore(dump, "files").code, 2);
  EXPECT_EQ(Explore(dump, "files").err,
            "imgtool x: \"files\" is no view, ps, fds, mems, rss, sockets and mounts are\n");
  EXPECT_EQ(Explore(dump, "ps", {"-p", "77"}).code, 3);
  EXPECT_THAT(Explore(dump, "ps", {"-p", "77"}).err, HasSubstr("no process 77\n"));
  EXPECT_EQ(Explore(directory_ + "/nothing", "ps").code, 3);
}

}  // namespace
}  // namespace ckpt
