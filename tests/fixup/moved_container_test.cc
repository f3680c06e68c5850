// Containers as CRIU dumps them, in a real overlay and with mount and PID namespaces and files of
// the host of their own, which have to go on where the layers, the files or the storage driver are
// others. CRIU does not dump a task with mappings such as an AUFS of 2014 gave it, so that its dump
// is of a sound task, and gets what such a kernel would have said of the mapped files.
#include "tests/fixup/moved_container.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "imgtool/facts_reader.h"
#include "imgtool/sample_dump.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

// Files that only mappings refer to get the path in `layer` and a mount that the container does not
// have. Returns how many.
size_t NameByLayer(const std::string& images, const std::string& layer) {
  const DumpFacts facts = ReadDumpFacts(images).value();
  SampleDump dump(images);
  auto entries = ReadEntries<pb::file_entry>(dump.Path("files.img")).value();
  size_t count = 0;
  for (const DumpedFile& file : facts.files) {
    const bool is_of_layer = fs::exists(layer + file.entry.name());
    if (!facts.uses.Get(file.entry.id()).MappedOnly() || !is_of_layer) continue;
    pb::reg_file_entry& entry = *entries[file.place.entry].mutable_reg();
    entry.set_name(layer + entry.name());
    entry.set_mnt_id(kForeignMount);
    ++count;
  }
  dump.Write(ImageType::kFiles, 0, entries);
  return count;
}

// The log of a CRIU that failed to dump on an AUFS, as in criu#219 and moby#30019.
std::string LogThatNames(const std::string& layer) {
  std::string path = MakeTestDirectory("log").value() + "/dump.log";
  std::ofstream(path) << fmt::format(
      "(00.008613) type aufs source none mnt_id 44 s_dev 0x2c / @ ./ flags 0x200000 options si=1f\n"
      "(00.008702) /sys/fs/aufs/si_1f/br1 : {0}\n"
      "(00.008700) /sys/fs/aufs/si_1f/br0 : {0}-top\n"
      "(00.014075) Dumping path for -3 fd via self 9 [{0}/lib/x86_64-linux-gnu/libc-2.23.so]\n"
      "(00.014080) Error (files-reg.c:694): Can't create link remap for {0}/lib/x86_64-linux-gnu/"
      "libc-2.23.so. Use link-remap option.\n",
      layer);
  return path;
}

TEST_F(MovedContainer, MappingsWithThePathsOfALayerAreThoseOfTheUnionAgain) {
  Container container = Dumped({.program = "counter", .root = ContainerRoot::kLayers});
  const std::string layer = container.Layers().back();
  ASSERT_GT(NameByLayer(images_, layer), 0U);
  EXPECT_THAT(Repaired("aufs-fixup", {"--branches", root_line_}),
              AllOf(HasSubstr("reg.name: \"" + layer), HasSubstr("reg.mnt_id: 22 -> "),
                    HasSubstr("of use to the old host only: lowerdir, upperdir, workdir"),
                    HasSubstr("verified in its branches")));
  ASSERT_TRUE(container.MoveLayers().has_value());
  EXPECT_NE(ErrorOfRestore(container, Engine::kCriu), "none");
  EXPECT_THAT(ErrorOfRestore(container, Engine::kOurs), HasSubstr("22"));
  ExpectToGoOn(container);

  for (const std::string& map : {root_line_, LogThatNames(layer)}) {
    EXPECT_THAT(Repaired("aufs-fixup", {"--branches", map}),
                AllOf(HasSubstr("reg.name: \"" + layer), HasSubstr("not verified")));
    ExpectToGoOn(container);
  }
}

TEST_F(MovedContainer, AUnionBelowTheRootBecomesExternal) {
  Container container =
      Dumped({.program = "union_below", .root = ContainerRoot::kLayers, .union_below = true});
  ASSERT_TRUE(container.MoveLayers().has_value());
  EXPECT_THAT(ErrorOfRestore(container, Engine::kCriu), HasSubstr("Unable to mount overlay"));
  EXPECT_THAT(Repaired("aufs-fixup", {"--branches", root_line_}),
              HasSubstr("ext_key: (absent) -> \"/union\""));
  const std::string place = container.MountUnion().value();
  ExpectToGoOn(container, {"--external", "mnt[/union]:" + place});
}

// What CRIU calls a descriptor's file that it is to leave to somebody else; "" if there is none.
std::string ExternalFileKey(const std::string& pid, const std::string& path) {
  for (const auto& link : fs::directory_iterator("/proc/" + pid + "/fd")) {
    if (fs::read_symlink(link.path()) != path) continue;
    std::ifstream fdinfo("/proc/" + pid + "/fdinfo/" + link.path().filename().string());
    int mnt_id = 0;
    for (std::string word; fdinfo >> word;) {
      if (word == "mnt_id:") fdinfo >> mnt_id;
    }
    struct stat status = {};
    EXPECT_EQ(stat(link.path().c_str(), &status), 0);
    return fmt::format("file[{:x}:{:x}]", mnt_id, status.st_ino);
  }
  return "";
}

// The entries of files that the restorer is given.
std::vector<std::string> GivenFiles(const std::string& images) {
  std::vector<std::string> given;
  const auto entries = ReadEntries<pb::file_entry>(images + "/files.img").value();
  for (const pb::file_entry& entry : entries) {
    if (entry.reg().ext()) given.push_back(entry.SerializeAsString());
  }
  return given;
}

// Also a mount id in it that no mountpoints image has.
void GiveMountToGivenFiles(const std::string& images) {
  auto entries = ReadEntries<pb::file_entry>(images + "/files.img").value();
  for (pb::file_entry& entry : entries) {
    if (entry.reg().ext()) entry.mutable_reg()->set_mnt_id(kForeignMount);
  }
  SampleDump(images).Write(ImageType::kFiles, 0, entries);
}

TEST_F(MovedContainer, AFileThatTheRestorerIsGivenKeepsItsEntry) {
  Container container =
      Started({.program = "union_below", .root = ContainerRoot::kLayers, .union_below = true});
  const std::string key = ExternalFileKey(std::to_string(container.pid()), "/data/file");
  const std::string below = "mnt[/union]:below";
  const Result<> dumped = container.Dump(Engine::kCriu, images_, ProcessAfter::kGone,
                                         {"--external", key, "--external", below});
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const std::string files = ReadWholeFile(images_ + "/files.img").value();
  GiveMountToGivenFiles(images_);
  Repaired("aufs-fixup", {"--branches", root_line_});
  ASSERT_EQ(GivenFiles(images_).size(), 1U);
  EXPECT_EQ(GivenFiles(repaired_), GivenFiles(images_));
  SampleDump(images_).WriteFile("files.img", files);

  Repaired("aufs-fixup", {"--branches", root_line_});
  ASSERT_TRUE(container.MoveLayers().has_value());
  const std::string place = container.MountUnion().value();
  const int given = open((container.root() + "/data/file").c_str(), O_RDONLY);
  ExpectToGoOnBy(
      Engine::kCriu, container,
      {"--external", "mnt[below]:" + place, "--inherit-fd", fmt::format("fd[{}]:{}", given, key)});
  close(given);
}

// Of the file that has the path in each union: the one in the first process's is of its lowest
// layer, as is the one that only the second child has mapped.
void NameLibrariesByLayers(const std::string& images, const std::string& layer,
                           const std::string& layer_below) {
  const DumpFacts facts = ReadDumpFacts(images).value();
  SampleDump dump(images);
  auto entries = ReadEntries<pb::file_entry>(dump.Path("files.img")).value();
  size_t count = 0;
  for (pb::file_entry& entry : entries) {
    const std::string name = entry.reg().name();
    if (name != "/library" && name != "/unshared") continue;
    const DumpedMount* mount = facts.mounts.Find(entry.reg().mnt_id());
    ASSERT_NE(mount, nullptr);
    const auto& first = facts.mounts.namespaces().at(facts.root_mnt_ns_id.value());
    const bool is_of_first = mount->place.image == first.front().place.image;
    EXPECT_FALSE(is_of_first && name == "/unshared");
    const bool is_of_root = is_of_first || name == "/unshared";
    entry.mutable_reg()->set_name((is_of_root ? layer : layer_below) + name);
    entry.mutable_reg()->set_mnt_id(kForeignMount);
    ++count;
  }
  EXPECT_EQ(count, 3U);
  dump.Write(ImageType::kFiles, 0, entries);
}

// And a third one has the first one's, as after unshare(2).
TEST_F(MovedContainer, NamespacesHaveTheUnionsThatAreMountedInThem) {
  const auto add_library = [](const Words& branches) {
    std::ofstream(branches.back() + "/library") << "of the root's union";
    std::ofstream(branches.back() + "/unshared") << "of the root's union in another namespace";
  };
  Container container = Started({.program = "two_unions",
                                 .root = ContainerRoot::kLayers,
                                 .fill_layers = add_library,
                                 .union_below = true});
  const std::string pid = std::to_string(container.pid());
  std::string child;
  std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> child;
  const std::string map = MakeTestDirectory("map").value() + "/mountinfo";
  std::ofstream(map) << root_line_ << '\n' << MountLine(child, "/") << '\n';
  const Result<> dumped = container.Dump(Engine::kCriu, images_);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const CommandResult checked = Imgtool({"check", images_});
  EXPECT_EQ(checked.exit_status, 0) << checked.output;
  const std::string layer = container.Layers().back();
  NameLibrariesByLayers(images_, layer, fs::path(layer).replace_filename("below"));

  EXPECT_THAT(Repaired("aufs-fixup", {"--branches", map}),
              ContainsRegex("ext_key: .* -> \"[0-9]+/\""));
  const DumpFacts facts = ReadDumpFacts(repaired_).value();
  Words keys;
  for (const auto& [mnt_ns_id, mounts] : facts.mounts.namespaces()) {
    const pb::mnt_entry& root = facts.mounts.Owner(mnt_ns_id, "/")->entry;
    if (root.has_ext_key()) keys.push_back(root.ext_key());
  }
  ASSERT_EQ(keys.size(), 1U) << "the other root is bound from the first one";
  ASSERT_TRUE(container.MoveLayers().has_value());
  const std::string place = container.MountUnion().value();
  // Several mount namespaces are nothing that we restore yet.
  ExpectToGoOnBy(Engine::kCriu, container,
                 {"--external", fmt::format("mnt[{}]:{}", keys[0], place)});
}

TEST_F(MovedContainer, ExternalMountsGetOtherKeys) {
  Container container =
      Dumped({.program = "mounts", .root = ContainerRoot::kLayers, .propagation = true});
  Repaired("aufs-fixup", {"--branches", root_line_, "--ext-mount-map", "/etc/hosts:names"});
  const Result<> restored = container.Restore(Engine::kCriu, repaired_);
  ASSERT_TRUE(restored.has_error());
  EXPECT_THAT(restored.error().message, HasSubstr("No mapping for"));
  ExpectToGoOn(container, {"--external", "mnt[names]:" + container.HostFile("hosts")});
}

TEST_F(MovedContainer, SourcesOfMountsThatWereFoundByThemselvesAreRenamed) {
  const Words found = {"--ext-mount-map", "auto"};
  Container container = Dumped(
      {.program = "counter", .root = ContainerRoot::kLayers, .names_externals = false}, found);
  const fs::path old_place = fs::path(container.HostFile("hosts")).parent_path();
  const std::string new_place = old_place.string() + "-elsewhere";
  fs::rename(old_place, new_place);
  EXPECT_NE(ErrorOfRestore(container, Engine::kCriu, found), "none");
  Repaired("rewrite", {"--mount", old_place.string() + "=" + new_place});
  ExpectToGoOn(container, found);
}

TEST_F(MovedContainer, AnotherStorageDriverHasTheRoot) {
  Container container =
      Dumped({.program = "mounts", .root = ContainerRoot::kLayers, .propagation = true});
  ASSERT_TRUE(container.CopyRoot().has_value());
  const std::string line = MountLine("self", container.root());
  std::istringstream words(line);
  std::string skipped, root;
  words >> skipped >> skipped >> skipped >> root;
  EXPECT_THAT(Repaired("aufs-fixup", {"--branches", root_line_, "--mount-ref",
                                      container.root() + "/data/file", "--mount-root", root}),
              AllOf(HasSubstr("root: \"/\" -> \"" + root + "\""),
                    HasSubstr("root: \"/data\" -> \"" + root + "/data\""),
                    HasSubstr("source: \"overlay\" -> ")));
  ExpectToGoOn(container);
}

// Watches have the device of the overlay, and so have to have the ghosts that they are on.
TEST_F(MovedContainer, GhostsOfAnOverlayOfSeveralFileSystemsGetItsDevice) {
  Container container =
      Dumped({.program = "ghosts", .root = ContainerRoot::kLayers, .layers_apart = true});
  const DumpFacts before = ReadDumpFacts(images_).value();
  Repaired("aufs-fixup", {"--branches", root_line_});
  const DumpFacts after = ReadDumpFacts(repaired_).value();
  const auto& [mnt_ns_id, mounts] = *after.mounts.namespaces().begin();
  const uint32_t device = after.mounts.Owner(mnt_ns_id, "/")->entry.root_dev();
  const auto has_device = [&](const DumpedDevice& one) { return one.device == device; };
  EXPECT_FALSE(std::ranges::all_of(before.names.devices, has_device));
  EXPECT_TRUE(std::ranges::all_of(after.names.devices, has_device));
  ExpectToGoOn(container);
}

TEST_F(MovedContainer, AFileThatGrewIsTakenAsItIs) {
  Container container =
      Dumped({.program = "union_below", .root = ContainerRoot::kLayers, .union_below = true},
             {"--external", "mnt[/union]:below"});
  std::ofstream(container.root() + "/data/file", std::ios::app) << "more";
  const std::string place = container.MountUnion().value();
  const Words below = {"--external", "mnt[below]:" + place};
  EXPECT_THAT(ErrorOfRestore(container, Engine::kCriu, below), HasSubstr("has bad size"));
  EXPECT_THAT(Repaired("rewrite", {"--restat", container.root()}), HasSubstr("reg.size: "));
  ExpectToGoOn(container, below);
}

}  // namespace
}  // namespace ckpt
