#include "imgtool/mount_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "imgtool/sample_facts.h"

namespace ckpt {
namespace {

using Notes = std::vector<std::string>;

Notes NotesOf(const std::vector<pb::mnt_entry>& entries) {
  Notes notes;
  DumpFacts facts;
  facts.mounts.AddNamespace(7, SampleMounts(7, entries));
  for (const PlanNote& note : CheckMountsOfPlan(facts, EditPlan())) {
    notes.push_back(note.place + ": " + note.text);
  }
  return notes;
}

TEST(MountCheck, AWholeTreeIsTaken) {
  EXPECT_EQ(NotesOf({SampleMount(pb::PROC, 47, 44, "/proc"), SampleMount(pb::AUFS, 44, 1, "/"),
                     SampleMount(pb::TMPFS, 48, 47, "/proc/x")}),
            Notes{});
}

TEST(MountCheck, AMountThatNeedsAKeyIsNamedWithTheOptionForIt) {
  pb::mnt_entry hosts = SampleMount(pb::UNSUPPORTED, 46, 44, "/etc/hosts");
  hosts.set_root("/etc/hosts");
  EXPECT_EQ(NotesOf({SampleMount(pb::AUFS, 44, 1, "/"), hosts}),
            Notes{"mountpoints-7.img: entry 1: \"/etc/hosts\" at \"/etc/hosts\" shows what no "
                  "other mount of the dump does: a restorer needs it as an external mount "
                  "(--ext-mount-map /etc/hosts:KEY, or auto for all)"});
}

TEST(MountCheck, ParentsHaveToBeThereAndAbove) {
  EXPECT_EQ(
      NotesOf({SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::PROC, 47, 99, "/proc"),
               SampleMount(pb::TMPFS, 48, 44, "/a"), SampleMount(pb::TMPFS, 49, 48, "/b")}),
      (Notes{"mountpoints-7.img: entry 1: a restorer will refuse it: its parent 99 is not in "
             "the image",
             "mountpoints-7.img: entry 3: a restorer will refuse it: mountpoint \"/b\" is not "
             "below that of its parent, \"/a\""}));
}

TEST(MountCheck, ThereIsOneRootAndNoCircle) {
  pb::mnt_entry second = SampleMount(pb::AUFS, 45, 1, "/");
  second.set_root_dev(44);
  EXPECT_EQ(NotesOf({SampleMount(pb::AUFS, 44, 1, "/"), second}),
            Notes{"mountpoints-7.img: entry 1: a restorer will refuse it: a second root beside "
                  "mountpoints-7.img: entry 0"});
  EXPECT_EQ(NotesOf({SampleMount(pb::AUFS, 44, 1, "/"), SampleMount(pb::PROC, 2, 3, "/a"),
                     SampleMount(pb::PROC, 3, 2, "/a")}),
            (Notes{"mountpoints-7.img: entry 1: a restorer will refuse it: its parents lead in a "
                   "circle",
                   "mountpoints-7.img: entry 2: a restorer will refuse it: its parents lead in a "
                   "circle"}));
}

TEST(MountCheck, AKeyIsInOnePlaceOnly) {
  pb::mnt_entry both = SampleMount(pb::UNSUPPORTED, 46, 44, "/x");
  both.set_ext_key("x");
  both.set_ext_mount(true);
  EXPECT_EQ(
      NotesOf({SampleMount(pb::AUFS, 44, 1, "/"), both}),
      Notes{"mountpoints-7.img: entry 1: a restorer will refuse it: it has both ext_mount and "
            "ext_key"});
}

TEST(MountCheck, LooksAtTheMountsAsThePlanLeavesThem) {
  pb::mnt_entry hosts = SampleMount(pb::UNSUPPORTED, 46, 44, "/etc/hosts");
  hosts.set_root("/etc/hosts");
  DumpFacts facts;
  facts.mounts.AddNamespace(7, SampleMounts(7, {SampleMount(pb::AUFS, 44, 1, "/"), hosts}));
  EditPlan plan;
  EXPECT_EQ(CheckMountsOfPlan(facts, plan).size(), 1U);
  facts.shared_mnt_ns_id = 7;
  EXPECT_EQ(CheckMountsOfPlan(facts, plan).size(), 0U);
  facts.shared_mnt_ns_id.reset();
  ASSERT_TRUE(plan.Add({{"mountpoints-7.img", 1}, "ext_key", FieldAbsent(), "hosts", "p", "e"})
                  .has_value());
  EXPECT_EQ(CheckMountsOfPlan(facts, plan).size(), 0U);
}

}  // namespace
}  // namespace ckpt
