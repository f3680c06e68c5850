// Control groups of the machine that a test makes, and containers that are dumped in one.
#ifndef TESTS_CONTAINER_CONTROL_GROUP_H_
#define TESTS_CONTAINER_CONTROL_GROUP_H_

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "tests/harness/container.h"
#include "tests/harness/engine.h"

namespace ckpt {

// A name that nobody else on this machine has.
std::string UniqueName();

// Where the hierarchy of version 1 with that controller, or with "" that of version 2, is mounted
// for all to use; empty where there is none.
std::string HierarchyOf(const std::string& controller);

// A group that is gone with this object, which what is in it must not outlive. `hierarchy` may be
// empty: there is no group then.
class Group {
 public:
  explicit Group(const std::string& hierarchy);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() { Remove(); }

  const std::string& name() const { return name_; }
  bool Exists() const;
  void Make() const;
  void Remove() const;

  // Of its properties: whether there is one that can be written, and its value, or why there is
  // none.
  bool Has(const std::string& property) const;
  Result<> Set(const std::string& property, const std::string& value) const;
  std::string Get(const std::string& property) const;

 private:
  std::string name_, path_;
};

// A container that has been dumped in a group, and has ended.
struct DumpedContainer {
  Container container;
  std::string images;
};

Result<DumpedContainer> DumpIn(const Group& group, Engine dumper, const std::string& program);

// The group of a process in the hierarchy of `controllers`, which is "" for version 2.
std::string GroupOf(pid_t pid, const std::string& controllers);

}  // namespace ckpt

#endif  // TESTS_CONTAINER_CONTROL_GROUP_H_
