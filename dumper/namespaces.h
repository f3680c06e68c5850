// Which namespaces the processes of a tree have to themselves, and their numbers in the images.
#ifndef DUMPER_NAMESPACES_H_
#define DUMPER_NAMESPACES_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "dumper/refusals.h"
#include "formats/proto/task.pb.h"

namespace ckpt {

enum class NamespaceKind { kPid, kNet, kIpc, kUts, kMnt, kUser, kCgroup, kTime };
inline constexpr size_t kNamespaceKindCount = 8;

// Numbers are only equality classes: one equal to the dumper's (in the inventory) tells a restorer
// to stay in its own, another one to make a new one.
class Namespaces {
 public:
  // Those of the caller, and of the root of a tree.
  static Result<Namespaces> Read(pid_t root);

  bool IsOwn(NamespaceKind kind) const { return Own(kind) != Of(dumper_, kind); }
  bool AnyIsOwn() const { return dumper_ != root_; }
  // In the images: of the tree's namespace.
  uint32_t IdOf(NamespaceKind kind) const;
  // CLONE_NEW* of those whose content a thread can look at from inside.
  int JoinableFlags() const;

  // What cannot be dumped: own user, cgroup and time namespaces, and a root that is not the first
  // process of its own pid namespace (`root_ns_pid` is its number there).
  void Refuse(pid_t root_ns_pid, Refusals& refusals) const;
  // A process of the tree that is not in the namespaces of its root.
  Result<> CheckTask(pid_t pid, Refusals& refusals) const;

  void FillDumperIds(pb::task_kobj_ids_entry& ids) const;
  void FillTaskIds(pb::task_kobj_ids_entry& ids) const;

 private:
  // The links of /proc/PID/ns, such as "uts:[4026531838]"; empty where the kernel has none.
  using Links = std::array<std::string, kNamespaceKindCount>;
  static Result<Links> ReadLinks(const std::string& process);
  static const std::string& Of(const Links& links, NamespaceKind kind) {
    return links.at(static_cast<size_t>(kind));
  }
  const std::string& Own(NamespaceKind kind) const { return Of(root_, kind); }

  Links dumper_;
  Links root_;
};

}  // namespace ckpt

#endif  // DUMPER_NAMESPACES_H_
