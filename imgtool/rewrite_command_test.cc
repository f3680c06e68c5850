#include "imgtool/rewrite_command.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <optional>

#include "formats/image_file.h"
#include "formats/proto/cgroup.pb.h"
#include "formats/proto/namespaces.pb.h"
#include "formats/proto/pipes.pb.h"
#include "imgtool/sample_archive.h"
#include "imgtool/sample_dump.h"
#include "imgtool/tool_run.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

uint32_t Word(const char* address) {
  uint32_t word = 0;
  EXPECT_EQ(inet_pton(AF_INET, address, &word), 1);
  return word;
}

pb::file_entry Socket(uint32_t id) {
  pb::file_entry file;
  file.set_type(pb::INETSK);
  file.set_id(id);
  pb::inet_sk_entry& socket = *file.mutable_isk();
  socket.set_id(id);
  socket.set_ino(1);
  socket.set_family(AF_INET);
  socket.set_type(1);
  socket.set_proto(IPPROTO_TCP);
  socket.set_state(10);
  socket.set_src_port(8080);
  socket.set_dst_port(0);
  socket.set_flags(0);
  socket.set_backlog(1);
  socket.add_src_addr(Word("10.0.0.1"));
  socket.add_dst_addr(0);
  *socket.mutable_fown() = SampleRegFile(1, "/x").fown();
  *socket.mutable_opts() = SampleSocketOptions();
  return file;
}

pb::file_entry UnixSocket(uint32_t id, std::string name) {
  pb::file_entry file;
  file.set_type(pb::UNIXSK);
  file.set_id(id);
  pb::unix_sk_entry& socket = *file.mutable_usk();
  socket.set_id(id);
  socket.set_ino(1);
  socket.set_type(1);
  socket.set_state(10);
  socket.set_flags(0);
  socket.set_uflags(0);
  socket.set_backlog(0);
  socket.set_peer(0);
  *socket.mutable_fown() = SampleRegFile(1, "/x").fown();
  *socket.mutable_opts() = Socket(1).isk().opts();
  socket.set_name(std::move(name));
  return file;
}

pb::file_entry File(uint32_t id, std::string name) {
  pb::file_entry file;
  file.set_type(pb::REG);
  file.set_id(id);
  *file.mutable_reg() = SampleRegFile(id, std::move(name));
  file.mutable_reg()->set_size(3);
  file.mutable_reg()->set_mode(S_IFREG | 0644);
  file.mutable_reg()->add_build_id(7);
  file.mutable_reg()->mutable_fown()->set_uid(1000);
  return file;
}

pb::cgroup_entry Cgroups() {
  pb::cgroup_entry cgroups;
  pb::cg_set_entry& set = *cgroups.add_sets();
  set.set_id(1);
  pb::cg_member_entry& member = *set.add_ctls();
  member.set_name("");
  member.set_path("/lxc/web/init");
  member.set_cgns_prefix(8);
  pb::cg_controller_entry& controller = *cgroups.add_controllers();
  controller.add_cnames("cpu");
  pb::cgroup_dir_entry& top = *controller.add_dirs();
  top.set_dir_name("/lxc");
  top.add_children()->set_dir_name("web");
  return cgroups;
}

class RewriteTest : public testing::Test {
 protected:
  RewriteTest() {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/rootfs/srv");
    dump_.emplace(root_ + "/dump");
    dump_->Write(ImageType::kFiles, 0,
                 std::vector{File(1, "/srv/app/bin"), File(2, "/srv/application"),
                             UnixSocket(3, std::string("/srv/app/sock\0", 14)), Socket(4)});
    dump_->Write(ImageType::kMnts, 7,
                 std::vector{SampleMount(5, 44, 1, "/"), SampleMount(5, 45, 44, "/srv/app")});
    dump_->Write(ImageType::kCgroup, 0, std::vector{Cgroups()});
    pb::utsns_entry host;
    host.set_nodename("old");
    host.set_domainname("");
    dump_->Write(ImageType::kUtsns, 9, std::vector{host});
    ImageEncoder pipes(ImageType::kPipesData);
    pb::pipe_data_entry data;
    data.set_pipe_id(1);
    data.set_bytes(6);
    data.set_size(4096);
    CKPT_CHECK(pipes.Append(data, AsBytes("secret")).has_value());
    dump_->WriteFile("pipes-data.img", pipes.bytes());
    dump_->WriteFile("pages-1.img", std::string(8192, 's'));
    dump_->WriteFile("dump.log", "secret");
    CKPT_CHECK(
        WriteWholeFile(root_ + "/rootfs/srv/application", AsBytes("longer"), 0600).has_value());
  }
  ~RewriteTest() override { fs::remove_all(root_); }

  ToolRun Rewrite(std::vector<std::string> options) const {
    options.insert(options.begin(), {"rewrite", dump_->directory()});
    return RunTool(options);
  }
  // Rewritten in place, with success.
  void Apply(const std::vector<std::string>& options) const {
    std::vector<std::string> all = options;
    all.emplace_back("--in-place");
    const ToolRun run = Rewrite(all);
    EXPECT_EQ(run.code, 0) << run.err;
  }
  template <typename M>
  std::vector<M> Entries(const std::string& name) const {
    return ReadEntries<M>(dump_->Path(name)).value();
  }
  pb::file_entry FileAt(size_t index) const { return Entries<pb::file_entry>("files.img")[index]; }

  const std::string root_ = testing::TempDir() + "rewrite_command_test";
  std::optional<SampleDump> dump_;
};

TEST_F(RewriteTest, PathsChangeWhereverTheyAreByWholeComponents) {
  Apply({"--path", "/srv/app=/opt/x"});
  EXPECT_EQ(FileAt(0).reg().name(), "/opt/x/bin");
  EXPECT_EQ(FileAt(1).reg().name(), "/srv/application");
  EXPECT_EQ(FileAt(2).usk().name(), std::string("/opt/x/sock\0", 12));
  EXPECT_EQ(Entries<pb::mnt_entry>("mountpoints-7.img")[1].mountpoint(), "/opt/x");
}

TEST_F(RewriteTest, TheOrderOfOptionsDoesNotMatter) {
  const ToolRun one = Rewrite({"-n", "--path", "/srv=/a", "--path", "/srv/app=/b"});
  const ToolRun other = Rewrite({"-n", "--path", "/srv/app=/b", "--path", "/srv=/a"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out, other.out);
  EXPECT_THAT(one.out, HasSubstr("\"/srv/app/bin\" -> \"/b/bin\""));
}

TEST_F(RewriteTest, AMapThatMatchesNothingNamesWhatComesClose) {
  const ToolRun run = Rewrite({"-n", "--path", "/srv/ap=/b"});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, HasSubstr("imgtool rewrite: --path /srv/ap=/b: nothing in the dump is at or "
                                 "below OLD; near it: \"/srv/app"));
  EXPECT_EQ(Rewrite({"-n", "--port", "80=81"}).err,
            "imgtool rewrite: --port 80=81: no socket of the dump has it; there are 8080\n");
  EXPECT_EQ(Rewrite({"-n", "--ip", "10.0.0.2=10.0.0.3"}).err,
            "imgtool rewrite: --ip 10.0.0.2=10.0.0.3: no socket of the dump has it; there are "
            "0.0.0.0, 10.0.0.1\n");
  EXPECT_EQ(
      Rewrite({"-n", "--ext-mount-map", "/x:y"}).err,
      "imgtool rewrite: --ext-mount-map: no mount at \"/x\"; there are \"/\", \"/srv/app\"\n");
}

TEST_F(RewriteTest, ASocketNameThatBecomesTooLongIsRefused) {
  const ToolRun run = Rewrite({"--in-place", "--path", "/srv=/" + std::string(120, 'l')});
  EXPECT_EQ(run.code, 5);
  EXPECT_THAT(run.err, HasSubstr("files.img: entry 2: usk.name: pass paths sets 131 bytes, at most "
                                 "108 allowed"));
}

TEST_F(RewriteTest, ConflictingEditsNameBothPasses) {
  const ToolRun run = Rewrite({"-n", "--hostname", "new", "--anonymise"});
  EXPECT_EQ(run.code, 5);
  EXPECT_THAT(run.err, HasSubstr("utsns-9.img: entry 0: nodename: pass hostname sets \"new\""));
  EXPECT_THAT(run.err, HasSubstr("but pass anonymise sets"));
}

TEST_F(RewriteTest, PortsAddressesAndHostNamesChange) {
  Apply({"--port", "8080=80", "--ip", "10.0.0.1=192.168.0.9", "--hostname", "new"});
  EXPECT_EQ(FileAt(3).isk().src_port(), 80U);
  ASSERT_EQ(FileAt(3).isk().src_addr_size(), 1);
  EXPECT_EQ(FileAt(3).isk().src_addr(0), Word("192.168.0.9"));
  EXPECT_EQ(FileAt(3).isk().dst_port(), 0U);
  EXPECT_EQ(Entries<pb::utsns_entry>("utsns-9.img")[0].nodename(), "new");
}

TEST_F(RewriteTest, AddressesOfFirewallRulesChangeWhereTheyAreOneHost) {
  dump_->WriteFile("iptables-9.img", "-A INPUT -s 10.0.0.1/32 -j DROP\n-A INPUT -s 10.0.0.1/8\n");
  dump_->WriteFile("nftables-9.img", "ip saddr { 10.0.0.1, 10.0.0.2 } drop comment \"10.0.0.1\"\n");
  const ToolRun run = Rewrite({"--in-place", "--ip", "10.0.0.1=192.168.0.9"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(ReadWholeFile(dump_->Path("iptables-9.img")).value(),
            "-A INPUT -s 192.168.0.9/32 -j DROP\n-A INPUT -s 10.0.0.1/8\n");
  EXPECT_EQ(ReadWholeFile(dump_->Path("nftables-9.img")).value(),
            "ip saddr { 192.168.0.9, 10.0.0.2 } drop comment \"10.0.0.1\"\n");
  EXPECT_THAT(run.out, HasSubstr("note: iptables-9.img: its rules also have 10.0.0.1 where it is "
                                 "not one host (a network, a range, a name, a comment)"));
  EXPECT_EQ(Rewrite({"-n", "--ip", "10.0.0.2=10.0.0.3"}).code, 0) << "of rules only";
}

TEST_F(RewriteTest, MountsGetSourcesAndKeys) {
  Apply({"--mount", "none=/dev/vdb", "--ext-mount-map", "/srv/app:app"});
  const auto mounts = Entries<pb::mnt_entry>("mountpoints-7.img");
  EXPECT_EQ(mounts[0].source(), "/dev/vdb");
  EXPECT_FALSE(mounts[0].has_ext_key());
  EXPECT_EQ(mounts[1].ext_key(), "app");
}

TEST_F(RewriteTest, CgroupsTakeTheirPrefixAlong) {
  Apply({"--cgroup", "/lxc/web=/lxc/website"});
  const auto cgroups = Entries<pb::cgroup_entry>("cgroup.img")[0];
  EXPECT_EQ(cgroups.sets(0).ctls(0).path(), "/lxc/website/init");
  EXPECT_EQ(cgroups.sets(0).ctls(0).cgns_prefix(), 12U);
  EXPECT_EQ(cgroups.controllers(0).dirs(0).children(0).dir_name(), "website");
  Apply({"--cgroup", "/lxc=/containers/of/mine"});
  const auto moved = Entries<pb::cgroup_entry>("cgroup.img")[0];
  EXPECT_EQ(moved.sets(0).ctls(0).path(), "/containers/of/mine/website/init");
  EXPECT_EQ(moved.controllers(0).dirs(0).dir_name(), "/containers/of/mine");
}

TEST_F(RewriteTest, CgroupsCanLeaveTheirParentWithAllThatIsBelow) {
  pb::cgroup_entry cgroups = Cgroups();
  pb::cgroup_dir_entry& top = *cgroups.mutable_controllers(0)->mutable_dirs(0);
  for (const char* name : {"b", "c"}) {
    pb::cgroup_dir_entry& child = *top.add_children();
    child.set_dir_name(name);
    child.mutable_dir_perms()->set_mode(0755);
    child.mutable_dir_perms()->set_uid(1);
    child.mutable_dir_perms()->set_gid(2);
    child.add_children()->set_dir_name("below");
  }
  dump_->Write(ImageType::kCgroup, 0, std::vector{cgroups});
  const std::vector<std::string> rules = {"--cgroup", "/lxc/b=/moved/b",
                                          "--cgroup", "/lxc/b/below=/d",
                                          "--cgroup", "/lxc/web=/pods/web"};
  std::vector<std::string> dry = rules;
  dry.emplace_back("-n");
  EXPECT_THAT(Rewrite(dry).out, HasSubstr("cgroup.img: entry 0: controllers[0].dirs[0].children[1] "
                                          "becomes the last of controllers[0].dirs"));
  std::vector<std::string> with_shift = rules;
  with_shift.insert(with_shift.end(), {"--uid-shift", "10"});
  Apply(with_shift);
  const auto moved = Entries<pb::cgroup_entry>("cgroup.img")[0];
  EXPECT_EQ(moved.sets(0).ctls(0).path(), "/pods/web/init");
  EXPECT_EQ(moved.sets(0).ctls(0).cgns_prefix(), 9U);
  const auto& dirs = moved.controllers(0).dirs();
  ASSERT_EQ(dirs.size(), 4);
  EXPECT_EQ(dirs[0].dir_name(), "/lxc");
  ASSERT_EQ(dirs[0].children_size(), 1);
  EXPECT_EQ(dirs[0].children(0).dir_name(), "c");
  EXPECT_EQ(dirs[0].children(0).children_size(), 1);
  EXPECT_EQ(dirs[1].dir_name(), "/pods/web");
  EXPECT_EQ(dirs[2].dir_name(), "/moved/b");
  EXPECT_EQ(dirs[2].dir_perms().uid(), 11U);
  EXPECT_EQ(dirs[2].children_size(), 0);
  EXPECT_EQ(dirs[3].dir_name(), "/d");
}

TEST_F(RewriteTest, SizesAndModesComeFromTheNewPlace) {
  Apply({"--restat", root_ + "/rootfs"});
  EXPECT_EQ(FileAt(0).reg().size(), 3U);
  EXPECT_EQ(FileAt(0).reg().build_id_size(), 1);
  EXPECT_EQ(FileAt(1).reg().size(), 6U);
  EXPECT_EQ(FileAt(1).reg().mode(), S_IFREG | 0600U);
  EXPECT_EQ(FileAt(1).reg().build_id_size(), 0);
}

TEST_F(RewriteTest, IdsAreShiftedOrWhatUserNamespacesMapTo) {
  Apply({"--uid-shift", "100000"});
  EXPECT_EQ(FileAt(0).reg().fown().uid(), 101000U);
  EXPECT_EQ(FileAt(0).reg().fown().euid(), 100000U);
  EXPECT_THAT(Rewrite({"-n", "--uid-shift", "-200000"}).err,
              HasSubstr("id 101000 would be -99000"));
  pb::userns_entry user;
  pb::uid_gid_extent& extent = *user.add_uid_map();
  extent.set_first(0);
  extent.set_lower_first(500);
  extent.set_count(10);
  dump_->Write(ImageType::kUserns, 3, std::vector{user});
  Apply({"--uid-shift", "5"});
  EXPECT_EQ(Entries<pb::userns_entry>("userns-3.img")[0].uid_map(0).lower_first(), 505U);
  EXPECT_EQ(FileAt(0).reg().fown().uid(), 101000U);
}

TEST_F(RewriteTest, AnAnonymousDumpIsConsistentAndHoldsNothing) {
  pb::inet_sk_entry old_socket = Socket(9).isk();
  old_socket.set_src_addr(0, Word("192.168.7.7"));
  old_socket.set_dst_addr(0, Word("127.0.0.1"));
  dump_->Write(ImageType::kInetsk, 0, std::vector{old_socket});
  dump_->WriteFile("route-9.img", "secret");
  EXPECT_THAT(Rewrite({"-n", "--anonymise"}).out, HasSubstr("note: --anonymise leaves general "));
  Apply({"--anonymise"});
  EXPECT_EQ(FileAt(3).isk().src_addr(0), Word("10.0.0.1"));
  EXPECT_EQ(Entries<pb::inet_sk_entry>("inetsk.img")[0].src_addr(0), Word("10.0.0.2"));
  EXPECT_EQ(Entries<pb::inet_sk_entry>("inetsk.img")[0].dst_addr(0), Word("127.0.0.1"));
  const std::string path = FileAt(0).reg().name();
  EXPECT_EQ(Entries<pb::mnt_entry>("mountpoints-7.img")[1].mountpoint(),
            path.substr(0, path.rfind('/')));
  EXPECT_EQ(ReadWholeFile(dump_->Path("pages-1.img")).value(), std::string(8192, '\0'));
  EXPECT_EQ(ReadWholeFile(dump_->Path("dump.log")).value(), "");
  for (const auto& [name, content] : ReadTree(dump_->directory())) {
    for (const char* word : {"secret", "srv", "app", "lxc", "old", "web"}) {
      EXPECT_EQ(content.find(word), std::string::npos) << name << " has " << word;
    }
  }
}

TEST_F(RewriteTest, TheSecondTimeThereIsNothingToDo) {
  Apply({"--uid-shift", "0", "--path", "/srv/app=/srv/app2"});
  const Tree once = ReadTree(dump_->directory());
  EXPECT_EQ(Rewrite({"--in-place", "--path", "/srv/app=/srv/app2"}).code, 3);
  EXPECT_EQ(ReadTree(dump_->directory()), once);
}

TEST_F(RewriteTest, AnalysisTellsWhatThereIs) {
  const ToolRun run = Rewrite({"--analyze"});
  EXPECT_EQ(run.code, 0);
  EXPECT_THAT(run.out, HasSubstr("paths (--path):\n       1  /\n"));
  EXPECT_THAT(run.out, HasSubstr("       1  /srv/app/sock\\000\n"));
  EXPECT_THAT(run.out, HasSubstr("ports (--port):\n       1  8080\n"));
  EXPECT_THAT(run.out,
              HasSubstr("addresses of sockets (--ip):\n       1  0.0.0.0\n       1  10.0.0.1\n"));
  EXPECT_THAT(Rewrite({"--analyze", "--json"}).out, HasSubstr("\"value\": \"8080\""));
}

TEST_F(RewriteTest, NothingAskedForIsAUsageError) {
  EXPECT_EQ(Rewrite({"-n"}).code, 2);
  EXPECT_EQ(Rewrite({"--path", "/a=/b"}).code, 2);
}

TEST_F(RewriteTest, AnArchiveChangesWithWhatIsBesideItsImages) {
  const std::string archive = root_ + "/a.tar.gz";
  const std::string spec = R"({"mounts":[{"destination":"/v","source":"/vol/1"}]})";
  WriteCompressed(
      archive,
      SampleTar({{"checkpoint/files.img", ReadWholeFile(dump_->Path("files.img")).value()},
                 {"spec.dump", spec}}),
      Compression::kGzip);
  const ToolRun run =
      RunTool({"rewrite", archive, "--in-place", "--mount", "/vol=/data", "--path", "/srv=/s"});
  EXPECT_EQ(run.code, 0) << run.err;
  const std::string tar = ReadDecompressed(archive);
  EXPECT_THAT(tar, HasSubstr(R"({"mounts":[{"destination":"/v","source":"/data/1"}]})"));
  EXPECT_THAT(tar, HasSubstr("/s/application"));
  EXPECT_EQ(RunTool({"undo", archive}).code, 0);
  EXPECT_THAT(ReadDecompressed(archive), HasSubstr(spec));
}

}  // namespace
}  // namespace ckpt
