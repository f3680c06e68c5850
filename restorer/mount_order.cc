#include "restorer/mount_order.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace ckpt {

namespace {

class Orderer {
 public:
  Orderer(const std::vector<pb::mnt_entry>& entries, std::string_view image, Findings& findings)
      : entries_(entries), image_(image), findings_(findings) {}

  std::vector<OrderedMount> Order() {
    if (!Index()) return {};
    for (const pb::mnt_entry& entry : entries_) FindParent(entry);
    if (is_tree_ && root_ == nullptr) Refuse("no mount is the root of the others");
    if (!is_tree_) return {};
    Walk();
    if (order_.size() != entries_.size()) Refuse("the parents of some mounts lead in a circle");
    if (!is_tree_) return {};
    return std::move(order_);
  }

 private:
  void Refuse(std::string_view what) {
    findings_.BadFormat("{}: {}", image_, what);
    is_tree_ = false;
  }

  bool Index() {
    for (const pb::mnt_entry& entry : entries_) {
      if (by_id_.emplace(entry.mnt_id(), &entry).second) continue;
      Refuse(fmt::format("two mounts have the id {}", entry.mnt_id()));
    }
    return is_tree_;
  }

  void FindParent(const pb::mnt_entry& entry) {
    const uint32_t parent = entry.parent_mnt_id();
    if (parent != entry.mnt_id() && by_id_.contains(parent)) {
      children_[parent].push_back(&entry);
    } else if (root_ == nullptr && entry.mountpoint() == "/") {
      root_ = &entry;
    } else {
      Refuse(fmt::format("mount {} at {}: its parent, mount {}, is not in the image",
                         entry.mnt_id(), entry.mountpoint(), parent));
    }
  }

  void Walk() {
    std::vector<std::pair<const pb::mnt_entry*, size_t>> pending = {{root_, 0}};
    while (!pending.empty()) {
      const auto [entry, parent] = pending.back();
      pending.pop_back();
      const size_t index = order_.size();
      order_.push_back({.entry = entry,
                        .parent = parent,
                        .place = fmt::format("{}: mount {} at {}", image_, entry->mnt_id(),
                                             entry->mountpoint())});
      const auto children = children_.find(entry->mnt_id());
      if (children == children_.end()) continue;
      // The last is taken first.
      std::ranges::stable_sort(children->second, {}, [](const pb::mnt_entry* child) {
        return child->mountpoint().size();
      });
      for (const pb::mnt_entry* child : children->second) pending.emplace_back(child, index);
    }
  }

  const std::vector<pb::mnt_entry>& entries_;
  std::string_view image_;
  Findings& findings_;
  bool is_tree_ = true;
  std::unordered_map<uint32_t, const pb::mnt_entry*> by_id_;
  std::unordered_map<uint32_t, std::vector<const pb::mnt_entry*>> children_;
  const pb::mnt_entry* root_ = nullptr;
  std::vector<OrderedMount> order_;
};

}  // namespace

std::vector<OrderedMount> OrderMounts(const std::vector<pb::mnt_entry>& entries,
                                      std::string_view image, Findings& findings) {
  return Orderer(entries, image, findings).Order();
}

std::optional<std::string> PathBelow(std::string_view path, std::string_view directory) {
  if (directory == "/") directory = "";
  if (!path.starts_with(directory)) return std::nullopt;
  path.remove_prefix(directory.size());
  if (path.empty()) return "";
  if (path.front() != '/') return std::nullopt;
  return std::string(path.substr(1));
}

}  // namespace ckpt
