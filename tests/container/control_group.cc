#include "tests/container/control_group.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "base/file.h"
#include "tests/harness/command.h"

namespace ckpt {
namespace {

// Where a hierarchy is mounted that /proc/self/mountinfo ends the line of with such words; empty
// where there is none.
std::string FindHierarchy(const std::string& type_and_source, const std::string& option) {
  const std::string command = "awk '/ - " + type_and_source + " / && /[ ,]" + option +
                              "(,|$)/ {print $5; exit}' /proc/self/mountinfo";
  std::string path = RunCommandWell({"sh", "-c", command}).value().output;
  if (!path.empty()) path.pop_back();
  return path;
}

}  // namespace

std::string UniqueName() {
  std::string name = ReadWholeFile("/proc/sys/kernel/random/uuid").value();
  name.pop_back();
  return "ckpt-test-" + name;
}

std::string HierarchyOf(const std::string& controller) {
  return controller.empty() ? FindHierarchy("cgroup2 [^ ]*", "rw")
                            : FindHierarchy("cgroup [^ ]*", controller);
}

Group::Group(const std::string& hierarchy) : name_(UniqueName()), path_(hierarchy + "/" + name_) {
  if (!hierarchy.empty()) Make();
}

bool Group::Exists() const { return access(path_.c_str(), F_OK) == 0; }

void Group::Make() const {
  std::error_code ignored;
  std::filesystem::create_directory(path_, ignored);
}

void Group::Remove() const { rmdir(path_.c_str()); }

bool Group::Has(const std::string& property) const {
  return access((path_ + "/" + property).c_str(), W_OK) == 0;
}

Result<> Group::Set(const std::string& property, const std::string& value) const {
  CKPT_TRY(const UniqueFd file, OpenFile(path_ + "/" + property, O_WRONLY));
  return WriteAll(file.get(), AsBytes(value), property);
}

std::string Group::Get(const std::string& property) const {
  const Result<std::string> text = ReadWholeFile(path_ + "/" + property);
  return text.has_value() ? text.value() : text.error().message;
}

Result<DumpedContainer> DumpIn(const Group& group, Engine dumper, const std::string& program) {
  const std::string name = fmt::format("{}-{}", group.name(), Name(dumper));
  CKPT_TRY(const std::string images, MakeTestDirectory(name + "-images"));
  CKPT_TRY(Container container, Container::Start(name, {.program = program}));
  CKPT_TRY(group.Set("cgroup.procs", std::to_string(container.pid())));
  CKPT_TRY(container.Dump(dumper, images, ProcessAfter::kGone, {"--manage-cgroups=full"}));
  return DumpedContainer{std::move(container), images};
}

std::string GroupOf(pid_t pid, const std::string& controllers) {
  const std::string text = ReadWholeFile(fmt::format("/proc/{}/cgroup", pid)).value();
  const size_t begin = text.find(":" + controllers + ":") + controllers.size() + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace ckpt
