// Whatever can become of a mapped file of a union, all of it in one container: dumped, repaired and
// restored by CRIU and by us. Our dump is of a process that has the files mapped through their
// layers; CRIU, which refuses to dump that, dumps one that has them mapped through the union, and
// its images get what the kernel would have said.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "imgtool/facts_reader.h"
#include "imgtool/sample_dump.h"
#include "process/joined_namespaces.h"
#include "tests/fixup/moved_container.h"

namespace ckpt {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr size_t kLongestPath = 4095;
constexpr const char* kOldName = "/lib/old";
constexpr const char* kNewName = "/lib/new";
constexpr const char* kRename = "mv $0/lib/old $0/lib/new; echo another >$0/lib/old";

// Which kernel mounts the union: the container of an overlay is taken for one of AUFS, too, the
// marks of which an overlay does not heed.
enum class Union { kOverlay, kAufs };

struct MappedFile {
  const char* what;
  size_t branch;
  std::string path;  // below the branch
  // After the dump: shell commands, $0 is the union, $1 to ${13} are the branches.
  const char* in_overlay = ":";
  const char* in_aufs = nullptr;  // the same as in_overlay
  bool is_lost = false;           // the process gets it as a ghost
  std::string in_union = "";      // where the union has it; `path` if left out
  std::string found = "";         // where it is found after the repair; in_union if left out

  const std::string& InUnion() const { return in_union.empty() ? path : in_union; }
  const std::string& Found() const { return found.empty() ? InUnion() : found; }
};

std::string Longest(const std::string& branch) {
  std::string path;
  while (branch.size() + path.size() + 1 + 200 + 2 < kLongestPath)
    path += "/" + std::string(200, 'l');
  return path + "/" + std::string(kLongestPath - branch.size() - path.size() - 1, 'm');
}

std::vector<MappedFile> MappedFiles(const Words& branches) {
  return {
      {"lies in the top branch", 0, "/etc/of_top"},
      {"lies in the -init sibling of the top branch", 1, "/etc/of_init"},
      {"has a namesake in branch 10", 2, "/lib/twice"},
      {"has odd bytes in its name", 12, "/odd b\tc\\d\ne=f\xff(deleted)/x (deleted)"},
      {"has a path of 4095 bytes", 12, Longest(branches[12])},
      {"was copied up", 3, "/lib/copied", ": >>$0/lib/copied"},
      {"was written to", 4, "/lib/written", "echo more >>$0/lib/written", nullptr, true},
      {"was deleted", 5, "/lib/deleted", "rm $0/lib/deleted", ": >$1/lib/.wh.deleted", true},
      {"was hidden by a lower branch", 6, "/lib/hidden", "mknod $4/lib/hidden c 0 0",
       ": >$4/lib/.wh.hidden", true},
      {"has a whiteout that does not count", 12, "/lib/kept", ":", ": >$5/lib/.wh.kept"},
      {"lies below an opaque directory", 7, "/opaque/x", "rm -r $0/opaque; mkdir $0/opaque",
       "mkdir $1/opaque; : >$1/opaque/.wh..wh..opq", true},
      {"became a directory", 8, "/was_file", "rm $0/was_file; mkdir $0/was_file", nullptr, true},
      {"lay in what became a file", 9, "/was_directory/x",
       "rm -r $0/was_directory; echo >$0/was_directory", nullptr, true, "", "/x"},
      {"lay in a directory that was deleted", 9, "/lost/directory/x", "rm -r $0/lost",
       ": >$1/.wh.lost", true},
      {"lies under a mount, and shows elsewhere", 11, "/data/sub/x", ":", nullptr, false,
       "/ro/sub/x"},
  };
}

// That only AUFS has, or only AUFS finds again: of the maps path a stand-in shows the layer's, too.
std::vector<MappedFile> OfAufs() {
  return {{"is a pseudo-link", 12, "/.wh..wh.plnk/27.48", ":", nullptr, false, "/lib/hard"},
          {"is an orphan", 0, "/.wh..wh.orph/1234", ":", nullptr, true, "", "/1234"},
          {"was renamed", 10, kOldName, kRename, nullptr, false, "", kNewName}};
}

std::vector<MappedFile> OfOverlay() {
  return {{"was renamed", 10, kOldName, kRename, nullptr, true}};
}

void Put(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << content;
}

// Branch 4 is the one the whiteouts of which do not count.
std::string Permissions(size_t branch) {
  if (branch == 0) return "rw";
  return branch == 4 ? "ro" : "ro+wh";
}

std::string WriteMap(const std::string& text) {
  std::string path = MakeTestDirectory("map").value() + "/union.map";
  Put(path, text);
  return path;
}

// The images have regular files only, which were not always in files.img.
void MakeRegFilesImage(const std::string& images) {
  const SampleDump dump(images);
  std::vector<pb::reg_file_entry> files;
  const auto entries = ReadEntries<pb::file_entry>(dump.Path("files.img")).value();
  for (const pb::file_entry& entry : entries) {
    ASSERT_TRUE(entry.has_reg()) << entry.ShortDebugString();
    files.push_back(entry.reg());
  }
  SampleDump(images).Write(ImageType::kRegFiles, 0, files);
  fs::remove(dump.Path("files.img"));
}

class UnionCases : public MovedContainer,
                   public testing::WithParamInterface<std::tuple<Engine, Union>> {
 protected:
  Engine dumper() const { return std::get<0>(GetParam()); }
  bool IsAufs() const { return std::get<1>(GetParam()) == Union::kAufs; }

  void Fill(const Words& branches) {
    branches_ = branches;
    files_ = MappedFiles(branches);
    std::ranges::move(IsAufs() ? OfAufs() : OfOverlay(), std::back_inserter(files_));
    std::string list;
    for (const MappedFile& file : files_) {
      Put(Raw(file), std::string("the file that ") + file.what);
      list += fs::path(branches[file.branch]).filename().string() + file.path + '\0';
      list += file.InUnion() + '\0';
    }
    for (const std::string& branch : branches) fs::create_directories(branch + "/lib");
    Put(branches[10] + "/lib/twice", "not this one");
    if (IsAufs()) fs::create_hard_link(Raw(*Find("is a pseudo-link")), branches[12] + "/lib/hard");
    Put(branches.back() + "/work/files", list);
  }

  std::string Raw(const MappedFile& file) const { return branches_[file.branch] + file.path; }
  std::vector<MappedFile>::const_iterator Find(const std::string& what) const {
    return std::ranges::find(files_, what, &MappedFile::what);
  }

  Container DumpedContainer() {
    Container container = Started({.program = "mapped_files",
                                   .root = ContainerRoot::kLayers,
                                   .more_layers = 10,
                                   .fill_layers = [&](const Words& branches) { Fill(branches); },
                                   .maps_layer = dumper() == Engine::kOurs});
    const Result<> covered = RunInNamespacesOf(container.pid(), CLONE_NEWNS, []() -> Result<> {
      if (mount("cover", "/data/sub", "tmpfs", 0, nullptr) == 0) return success();
      return ErrnoError(errno, "mount(\"/data/sub\")");
    });
    EXPECT_TRUE(covered.has_value()) << covered.error().message;
    const Result<> dumped = container.Dump(dumper(), images_);
    EXPECT_TRUE(dumped.has_value()) << dumped.error().message;
    return container;
  }

  // What the kernel would have said of the files that CRIU dumped, before 3.15 of AUFS's.
  void NameByBranches() {
    SampleDump dump(images_);
    auto entries = ReadEntries<pb::file_entry>(dump.Path("files.img")).value();
    size_t count = 0;
    for (pb::file_entry& entry : entries) {
      const auto file = std::ranges::find(files_, entry.reg().name(), &MappedFile::InUnion);
      if (file != files_.end()) {
        entry.mutable_reg()->set_name(Raw(*file));
        entry.mutable_reg()->set_mnt_id(kForeignMount);
        if (IsAufs()) entry.mutable_reg()->clear_mnt_id();
        ++count;
      } else if (entry.reg().name() == "/" && IsOpen(entry.id())) {
        entry.mutable_reg()->set_name(branches_.back());
        entry.mutable_reg()->set_mnt_id(kForeignMount);
        ++count;
      }
    }
    ASSERT_EQ(count, files_.size() + 1);
    dump.Write(ImageType::kFiles, 0, entries);
  }

  bool IsOpen(uint32_t file_id) const {
    const auto descriptors = ReadEntries<pb::fdinfo_entry>(images_ + "/fdinfo-2.img").value();
    return std::ranges::find(descriptors, file_id, &pb::fdinfo_entry::id) != descriptors.end();
  }

  // Under AUFS the maps line of a file that was renamed has its new name.
  void NameInMaps() const {
    SampleDump dump(images_);
    std::vector<pb::raw_fact_entry> facts;
    if (fs::exists(dump.Path("ckpt-raw.img"))) {
      facts = ReadEntries<pb::raw_fact_entry>(dump.Path("ckpt-raw.img")).value();
    }
    const std::string name = Raw(*Find("was renamed"));
    const auto fact = std::ranges::find(
        facts, name, [](const pb::raw_fact_entry& one) { return one.mapping().map_files_path(); });
    if (fact != facts.end()) {
      fact->mutable_mapping()->set_maps_path(kNewName);
    } else {
      facts.push_back(SampleMappingFact(SampleMapping(IdOf(name), name, kNewName)));
    }
    dump.Write(ImageType::kCkptRaw, 0, facts);
  }

  uint32_t IdOf(const std::string& name) const {
    const DumpFacts dump = ReadDumpFacts(images_).value();
    const auto file =
        std::ranges::find(dump.files, name, [](const DumpedFile& one) { return one.entry.name(); });
    EXPECT_NE(file, dump.files.end()) << name;
    return file == dump.files.end() ? 0 : file->entry.id();
  }

  void Change(const Container& container) const {
    for (const MappedFile& file : files_) {
      const bool differs = IsAufs() && file.in_aufs != nullptr;
      Words words = {"sh", "-c", differs ? file.in_aufs : file.in_overlay, container.root()};
      words.insert(words.end(), branches_.begin(), branches_.end());
      const Result<CommandResult> changed = RunCommandWell(words);
      EXPECT_TRUE(changed.has_value()) << file.what << ": " << changed.error().message;
    }
  }

  // Our text format, with `where` the branches can be read.
  std::string MapText(const Words& where) const {
    std::string text = "branch-map 1\nunion cases\ntype aufs\n";
    for (size_t i = 0; i < branches_.size(); ++i) {
      text += fmt::format("branch {} {}// at {}\n", Permissions(i), branches_[i], where[i]);
    }
    return WriteMap(text);
  }

  // A copy of the union's directory in /sys, the files of which come in any order. Were br10 taken
  // for the third branch, what has a namesake there would be lost.
  std::string MapDirectory() const {
    const std::string folder = MakeTestDirectory("sysfs").value() + "/si_1f";
    for (size_t i = 0; i < branches_.size(); ++i) {
      Put(fmt::format("{}/br{}", folder, i), branches_[i] + "=" + Permissions(i) + "\n");
    }
    return folder;
  }

  // With brs=0 they are in the mount options only.
  std::string MapOptions() const {
    std::string options;
    for (size_t i = 0; i < branches_.size(); ++i) {
      options += fmt::format("{}{}={}", i == 0 ? "br:" : ":", branches_[i], Permissions(i));
    }
    return fmt::format("44 29 0:44 / / rw - aufs none rw,si=1f,{}", options);
  }

  Words Maps() const {
    if (!IsAufs()) return {root_line_};
    return {MapText(branches_), MapDirectory(), MapOptions()};
  }

  void ExpectLostFilesToBeNamed(const std::string& map) const {
    const CommandResult refused =
        Imgtool({"aufs-fixup", images_, "-o", repaired_, "--branches", map});
    EXPECT_EQ(refused.exit_status, 5) << refused.errors;
    for (const MappedFile& file : files_) {
      const std::string named = fmt::format("{} was ", FieldText(Raw(file)));
      EXPECT_EQ(refused.errors.find(named) != std::string::npos, file.is_lost) << file.what;
    }
    EXPECT_FALSE(fs::exists(repaired_));
  }

  void ExpectNamesOfTheUnion() const {
    std::set<std::string> names;
    const DumpFacts dump = ReadDumpFacts(repaired_).value();
    for (const DumpedFile& file : dump.files) names.insert(file.entry.name());
    for (const MappedFile& file : files_) {
      EXPECT_TRUE(names.contains(file.Found())) << file.what;
      EXPECT_FALSE(names.contains(Raw(file))) << file.what;
    }
    EXPECT_FALSE(names.contains(branches_.back()));
  }

  std::vector<MappedFile> files_;
  Words branches_;
};

TEST_P(UnionCases, TheProcessKeepsWhatItHadMapped) {
  Container container = DumpedContainer();
  if (dumper() == Engine::kCriu) NameByBranches();
  if (IsAufs()) NameInMaps();
  Change(container);
  const Words maps = Maps();
  for (const std::string& map : maps) ExpectLostFilesToBeNamed(map);

  const Words ghosts = {"--on-shadowed=ghost", "--on-deleted=ghost"};
  for (const std::string& map : maps) {
    Repaired("aufs-fixup", {"--branches", map, ghosts[0], ghosts[1]});
    ExpectNamesOfTheUnion();
  }
  EXPECT_THAT(Imgtool({"aufs-fixup", repaired_, "--in-place", "--branches", maps[0]}).output,
              HasSubstr("nothing to do"));
  ASSERT_TRUE(container.MoveLayers().has_value());
  ExpectToGoOn(container);
  if (!IsAufs()) return;

  const std::string moved = MapText(container.Layers());
  Repaired("aufs-fixup", {"--branches", moved, ghosts[0], ghosts[1]});
  ExpectNamesOfTheUnion();
  ExpectToGoOn(container);
}

TEST_F(MovedContainer, WhatABindMountCoversIsRefusedAndTheDumpStays) {
  Container container = Started({.program = "mapped_files",
                                 .root = ContainerRoot::kLayers,
                                 .fill_layers =
                                     [](const Words& branches) {
                                       Put(branches[1] + "/etc/hosts", "covered");
                                       Put(branches.back() + "/work/files",
                                           fs::path(branches[1]).filename().string() +
                                               std::string("/etc/hosts\0/etc/hosts\0", 22));
                                     },
                                 .maps_layer = true});
  const Result<> dumped = container.Dump(Engine::kOurs, images_);
  ASSERT_TRUE(dumped.has_value()) << dumped.error().message;
  const Tree before = ReadTree(images_);
  const CommandResult refused = Imgtool({"aufs-fixup", images_, "--in-place"});
  EXPECT_EQ(refused.exit_status, 5);
  EXPECT_THAT(refused.errors, ContainsRegex("-init/etc/hosts\" would become \"/etc/hosts\", which "
                                            "mount [0-9]+ at \"/etc/hosts\" covers"));
  EXPECT_EQ(ReadTree(images_), before);
}

// CRIU 4.1.1 crashes on an image of that name, of whatever dump.
TEST_F(MovedContainer, FilesOfRegFilesImageAreRepaired) {
  Words layers;
  Container container =
      Dumped({.program = "mapped_files",
              .root = ContainerRoot::kLayers,
              .fill_layers = [&](const Words& branches) {
                layers = branches;
                Put(branches.back() + "/lib/x", "x");
                Put(branches.back() + "/work/files", std::string("not used\0/lib/x\0", 16));
              }});
  MakeRegFilesImage(images_);
  auto files = ReadEntries<pb::reg_file_entry>(images_ + "/reg-files.img").value();
  const auto mapped = std::ranges::find(files, "/lib/x", &pb::reg_file_entry::name);
  ASSERT_NE(mapped, files.end());
  mapped->set_name(layers.back() + "/lib/x");
  mapped->set_mnt_id(kForeignMount);
  SampleDump(images_).Write(ImageType::kRegFiles, 0, files);
  EXPECT_THAT(Repaired("aufs-fixup", {"--branches", root_line_}),
              HasSubstr("reg-files.img: entry"));
  ASSERT_TRUE(container.MoveLayers().has_value());
  ExpectToGoOnBy(Engine::kOurs, container);
}

INSTANTIATE_TEST_SUITE_P(All, UnionCases,
                         testing::Combine(testing::Values(Engine::kCriu, Engine::kOurs),
                                          testing::Values(Union::kOverlay, Union::kAufs)));

}  // namespace
}  // namespace ckpt
