#include "restorer/mount_propagation.h"

#include <sys/mount.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace ckpt {

namespace {

// The mounts that share events: one peer group.
struct Group {
  std::vector<size_t> members;
  size_t leader = 0;  // the member with the widest directory
  enum class State { kWaiting, kUnderWay, kDone } state = State::kWaiting;
};

class Planner {
 public:
  Planner(const std::vector<OrderedMount>& order, MountTreePlan& plan, Findings& findings)
      : order_(order), plan_(plan), findings_(findings) {}

  void Plan() {
    for (size_t i = 0; i < order_.size(); ++i) {
      if (const uint32_t id = order_[i].entry->shared_id(); id != 0) {
        groups_[id].members.push_back(i);
      }
    }
    for (auto& [id, group] : groups_) ChooseLeader(id, group);
    for (auto& [id, group] : groups_) PlanGroup(group);
    for (size_t i = 0; i < order_.size(); ++i) PlanAlone(i);
  }

 private:
  using Kind = PropagationStep::Kind;

  const pb::mnt_entry& EntryOf(size_t index) const { return *order_[index].entry; }
  void Add(Kind kind, size_t mount, size_t other = 0) {
    plan_.propagation.push_back({.kind = kind, .mount = mount, .other = other});
  }

  bool Has(size_t wide, size_t narrow) const {
    return plan_.mounts[wide].source == plan_.mounts[narrow].source &&
           PathBelow(EntryOf(narrow).root(), EntryOf(wide).root());
  }

  void ChooseLeader(uint32_t id, Group& group) {
    group.leader = *std::ranges::min_element(
        group.members, {}, [&](size_t member) { return EntryOf(member).root().size(); });
    for (const size_t member : group.members) {
      if (Has(group.leader, member)) continue;
      findings_.Unsupported(
          "{}: is in the peer group {} with mount {}, which does not have its "
          "directory {}",
          order_[member].place, id, EntryOf(group.leader).mnt_id(), EntryOf(member).root());
    }
  }

  // The group that the mount receives from, when it is in the tree.
  Group* MasterOf(size_t index) {
    const auto master = groups_.find(EntryOf(index).master_id());
    return master == groups_.end() ? nullptr : &master->second;
  }

  // The mount receives from the group of its master_id.
  void Follow(size_t index) {
    if (EntryOf(index).master_id() == 0) return;
    Group* const master = MasterOf(index);
    if (master == nullptr) {
      const auto kind = plan_.sources[plan_.mounts[index].source].kind;
      plan_.mounts[index].follows_outside = kind != MountSourcePlan::Kind::kNew;
      return;
    }
    PlanGroup(*master);
    if (!Has(master->leader, index)) {
      findings_.Unsupported(
          "{}: is a slave of peer group {} with mount {}, which does not have "
          "its directory {}",
          order_[index].place, EntryOf(index).master_id(), EntryOf(master->leader).mnt_id(),
          EntryOf(index).root());
    }
    Add(Kind::kJoin, index, master->leader);
    Add(Kind::kFollow, index);
  }

  void PlanGroup(Group& group) {
    if (group.state == Group::State::kDone) return;
    if (group.state == Group::State::kUnderWay) {
      findings_.BadFormat("{}: peer groups are slaves of each other in a circle",
                          order_[group.leader].place);
      return;
    }
    group.state = Group::State::kUnderWay;
    Follow(group.leader);
    Add(Kind::kShare, group.leader);
    for (const size_t member : group.members) {
      if (member != group.leader) Add(Kind::kJoin, member, group.leader);
    }
    group.state = Group::State::kDone;
  }

  void PlanAlone(size_t index) {
    const pb::mnt_entry& entry = EntryOf(index);
    if (entry.shared_id() == 0) Follow(index);
    if ((entry.flags() & MS_UNBINDABLE) != 0) Add(Kind::kUnbindable, index);
  }

  const std::vector<OrderedMount>& order_;
  MountTreePlan& plan_;
  Findings& findings_;
  std::map<uint32_t, Group> groups_;  // by shared_id
};

}  // namespace

void PlanPropagation(const std::vector<OrderedMount>& order, MountTreePlan& plan,
                     Findings& findings) {
  Planner(order, plan, findings).Plan();
}

}  // namespace ckpt
