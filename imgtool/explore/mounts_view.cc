#include "imgtool/explore/mounts_view.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "formats/spelling.h"
#include "imgtool/explore/kernel_names.h"

namespace ckpt {
namespace {

constexpr Column kColumns[] = {
    {"ID", "mnt_id", true},   {"MOUNTPOINT", "mountpoint"},   {"TYPE", "fstype"},
    {"DEVICE", "device"},     {"SOURCE", "source"},           {"ROOT", "root"},
    {"FLAGS", "mount_flags"}, {"PROPAGATION", "propagation"}, {"EXTERNAL", "external"},
    {"OPTIONS", "options"},
};

std::string ExternalText(const pb::mnt_entry& mount) {
  if (mount.has_ext_key()) return mount.ext_key();
  return mount.ext_mount() ? mount.root() : "";
}

void ListMount(const pb::mnt_entry& mount, size_t depth, Listing& listing) {
  listing.BeginItem();
  listing.Number("mnt_id", mount.mnt_id());
  listing.Number("parent_mnt_id", mount.parent_mnt_id());
  listing.Number("depth", depth);
  listing.Text("mountpoint", mount.mountpoint());
  // In a deep tree the path is what one looks for.
  listing.Cell("mountpoint", std::string(2 * std::min<size_t>(depth, 20), ' ') +
                                 mount.mountpoint() + (mount.deleted() ? " (deleted)" : ""));
  listing.Text("fstype", FstypeText(mount));
  listing.Text("device", SpellKernelDevice(mount.root_dev()));
  listing.Text("source", mount.source());
  listing.Text("root", mount.root());
  listing.Number("flags", mount.flags());
  listing.Text("mount_flags", MountFlagsText(mount.flags()));
  listing.Text("options", mount.options());
  if (mount.has_sb_flags()) listing.Number("sb_flags", mount.sb_flags());
  if (mount.shared_id() != 0) listing.Number("shared_id", mount.shared_id());
  if (mount.master_id() != 0) listing.Number("master_id", mount.master_id());
  listing.Text("propagation", PropagationText(mount));
  const std::string external = ExternalText(mount);
  if (!external.empty()) listing.Text("external", external);
  if (mount.deleted()) listing.Bool("deleted", true);
  listing.EndItem();
}

std::string NamespaceHeading(uint64_t id, const std::vector<uint64_t>& pids) {
  constexpr size_t kPidsShown = 8;
  std::string text = fmt::format("mount namespace {}", id);
  if (pids.empty()) return text;
  const auto end = pids.begin() + static_cast<ptrdiff_t>(std::min(kPidsShown, pids.size()));
  text += fmt::format(" of pid {}", fmt::join(pids.begin(), end, ", "));
  if (pids.size() > kPidsShown) text += fmt::format(" and {} more", pids.size() - kPidsShown);
  return text;
}

void ListNamespace(const ViewInput& input, uint64_t id, const std::vector<uint64_t>& pids,
                   Listing& listing) {
  const auto mounts = input.reader.Entries<pb::mnt_entry>(ImageType::kMnts, id);
  listing.Heading(NamespaceHeading(id, pids));
  listing.BeginItem();
  listing.Number("mnt_ns_id", id);
  listing.Numbers("pids", pids);
  listing.BeginList("mounts", kColumns);
  for (const MountPlace& place : OrderMounts(mounts)) {
    if (listing.stopped()) break;
    ListMount(mounts[place.index], place.depth, listing);
  }
  listing.EndList();
  listing.EndItem();
}

}  // namespace

std::vector<MountPlace> OrderMounts(const std::vector<pb::mnt_entry>& mounts) {
  std::map<uint32_t, std::vector<size_t>> children;
  std::map<uint32_t, size_t> by_id;
  for (size_t i = 0; i < mounts.size(); ++i) by_id.emplace(mounts[i].mnt_id(), i);
  std::vector<MountPlace> left;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const uint32_t parent = mounts[i].parent_mnt_id();
    if (parent == mounts[i].mnt_id() || !by_id.contains(parent)) {
      left.push_back({i, 0});
    } else {
      children[parent].push_back(i);
    }
  }
  const auto by_mountpoint = [&](size_t index) -> const std::string& {
    return mounts[index].mountpoint();
  };
  std::ranges::reverse(left);
  std::vector<MountPlace> order;
  std::vector<bool> is_placed(mounts.size());
  while (!left.empty()) {
    const MountPlace place = left.back();
    left.pop_back();
    is_placed[place.index] = true;
    order.push_back(place);
    // A number that stands twice has its children once.
    auto below = children.extract(mounts[place.index].mnt_id());
    if (below.empty()) continue;
    std::ranges::stable_sort(below.mapped(), std::ranges::greater(), by_mountpoint);
    for (const size_t child : below.mapped()) left.push_back({child, place.depth + 1});
  }
  for (size_t i = 0; i < mounts.size(); ++i) {
    if (!is_placed[i]) order.push_back({i, 0});
  }
  return order;
}

std::string FstypeText(const pb::mnt_entry& mount) {
  if (mount.fstype() == pb::AUTO && mount.has_fsname()) return mount.fsname();
  if (!pb::fstype_IsValid(static_cast<int>(mount.fstype()))) {
    return fmt::format("fstype {}", mount.fstype());
  }
  std::string name = pb::fstype_Name(static_cast<pb::fstype>(mount.fstype()));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

std::string PropagationText(const pb::mnt_entry& mount) {
  std::string text;
  if (mount.shared_id() != 0) text += fmt::format("shared:{}", mount.shared_id());
  if (mount.master_id() != 0) {
    text += fmt::format("{}master:{}", text.empty() ? "" : " ", mount.master_id());
  }
  return text;
}

Result<> ListMounts(const ViewInput& input, Listing& listing) {
  CKPT_TRY(const std::vector<DumpedTask> tasks, ReadTasks(input.reader));
  std::map<uint64_t, std::vector<uint64_t>> pids;
  for (const DumpedTask& task : tasks) {
    if (task.ids && task.ids->has_mnt_ns_id()) pids[task.ids->mnt_ns_id()].push_back(task.pid());
  }
  listing.BeginList("namespaces");
  size_t listed = 0;
  for (const DumpImage& listed_image : input.reader.dump().images()) {
    if (listed_image.image.type != ImageType::kMnts) continue;
    const auto& own = pids[listed_image.image.id];
    const bool is_shown = input.pids.empty() || std::ranges::any_of(own, [&](uint64_t pid) {
                            return input.Shows(uint32_t(pid));
                          });
    if (!is_shown) continue;
    ListNamespace(input, listed_image.image.id, own, listing);
    ++listed;
  }
  listing.EndList();
  if (listed == 0)
    listing.Line("no mountpoints image: the processes were on the mounts of the host");
  return success();
}

}  // namespace ckpt
